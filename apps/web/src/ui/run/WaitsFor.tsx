'use client';
import type { QueuePlace } from '@anneal/core/protocol/queue';
import Link from 'next/link';
import { Fragment, useState } from 'react';
import { useTranslations } from 'use-intl';
import { useDevices } from '../../agent/useDevices.ts';
import { useMay } from '../../agent/useMe.ts';
import { useQueue } from '../../agent/useQueue.ts';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { WaitsOn } from '../host/WaitsOn.tsx';

/** What a queued run waits for: its device, and the runs that have it or come before. */
export function WaitsFor({ run, queued }: { run: string; queued: QueuePlace }) {
  const t = useTranslations('run');
  const { queue, error } = useQueue();
  const lane = queue?.devices.find(({ device }) => device === queued.device);
  const at = lane?.waiting.findIndex((waiting) => waiting.run === run) ?? -1;
  const waiting = lane?.waiting[at];
  const may = useMay('operator');
  const [notAssigned, setNotAssigned] = useState<unknown>(null);
  const isGone = useDevices()?.every(({ name }) => name !== queued.device) ?? false;
  const before = lane?.waiting.slice(0, Math.max(0, at)) ?? [];
  return (
    <section aria-label={t('waits')} className="grid gap-1 rounded-lg border border-line bg-surface px-4 py-3">
      <p>
        {t('queued', { ...queued })}{' '}
        <Link href="/host" className="text-ember underline underline-offset-2">
          {t('toQueue')}
        </Link>
      </p>
      {lane?.concurrency === 0 && <p className="text-[13px] text-warn">{t('deviceHeld')}</p>}
      {isGone && <p className="text-[13px] text-warn">{t('deviceGone')}</p>}
      <Runs label={t('trainsNow')} runs={lane?.running ?? []} />
      <Runs label={t('waitsBefore')} runs={before} />
      {may && waiting && !waiting.hasBegun && <WaitsOn {...waiting} device={queued.device} onError={setNotAssigned} />}
      {notAssigned !== null && <ErrorNote error={shownError(notAssigned)} />}
      {error !== undefined && <ErrorNote error={shownError(error)} />}
    </section>
  );
}

function Runs({ label, runs }: { label: string; runs: readonly { run: string; name: string }[] }) {
  if (runs.length === 0) return null;
  return (
    <p className="text-[13px] text-muted [overflow-wrap:anywhere]">
      {label}:{' '}
      {runs.map(({ run, name }, i) => (
        <Fragment key={run}>
          {i > 0 && ', '}
          <Link href={`/run?id=${encodeURIComponent(run)}`} className="text-ember underline underline-offset-2">
            {name}
          </Link>
        </Fragment>
      ))}
    </p>
  );
}
