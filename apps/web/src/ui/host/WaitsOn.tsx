'use client';
import { useMutation } from '@tanstack/react-query';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useDevices } from '../../agent/useDevices.ts';
import { useIsOff } from '../../agent/useMe.ts';

/** The device that a run waits for, and the others that it could wait for. Nothing where there is no choice. */
export function WaitsOn({
  run,
  name,
  device,
  onError,
}: {
  run: string;
  name: string;
  device: string;
  /** null: it was done. */
  onError: (error: unknown) => void;
}) {
  const t = useTranslations('host');
  const isOff = useIsOff('operator');
  const devices = useDevices();
  const assign = useMutation({
    mutationFn: (wanted: string) => agent().queue.assign.mutate({ run, device: wanted }),
    onSuccess: () => onError(null),
    onError,
  });
  // One that is gone is still what the run waits for.
  const all = [...new Set([device, ...(devices ?? []).map(({ name: other }) => other)])].sort();
  if (!devices || all.length < 2) return null;
  return (
    <select
      aria-label={t('deviceOf', { name })}
      value={device}
      disabled={isOff || assign.isPending}
      onChange={({ target }) => assign.mutate(target.value)}
      className="h-7 max-w-28 shrink-0 rounded-md border border-line bg-surface px-1.5 font-mono text-[12px]"
    >
      {all.map((other) => (
        <option key={other} value={other}>
          {other}
        </option>
      ))}
    </select>
  );
}
