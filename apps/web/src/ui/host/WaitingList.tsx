'use client';
import { useMutation } from '@tanstack/react-query';
import { ArrowDown, ArrowUp, GripVertical, X } from 'lucide-react';
import Link from 'next/link';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useConnection } from '../../agent/hooks.ts';
import { useMay } from '../../agent/useMe.ts';
import { IconButton } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import type { Lane } from './lane.ts';
import type { QueueDrag } from './useQueueDrag.ts';
import { WaitsOn } from './WaitsOn.tsx';

/** The runs that wait for a device, in their order; moved by buttons, or dragged, to another device as well. */
export function WaitingList({
  device,
  waiting,
  isHeld,
  drag,
}: Pick<Lane, 'device' | 'waiting'> & { isHeld: boolean; drag: QueueDrag }) {
  const t = useTranslations('host');
  const format = useFormat();
  const isAway = useConnection() !== 'open';
  const may = useMay('operator');
  const [over, setOver] = useState<number>();
  /** Of what was asked last: what was done since takes it away. */
  const [error, setError] = useState<unknown>(null);
  const told = { onSuccess: () => setError(null), onError: setError };
  const move = useMutation({
    mutationFn: (wanted: { run: string; place: number }) => agent().queue.move.mutate(wanted),
    ...told,
  });
  const remove = useMutation({ mutationFn: (run: string) => agent().queue.remove.mutate({ run }), ...told });

  const { dragged } = drag;
  return (
    <div className="border-line border-t px-4 py-2.5 first-of-type:border-t-0">
      <h3 className="label">{t(isHeld ? 'held' : 'waiting')}</h3>
      {error !== null && <ErrorNote error={shownError(error)} />}
      <ol className="-mx-2">
        {waiting.map(({ run, name, priority, since, by, hasBegun }, index) => (
          <li
            key={run}
            data-waiting={run}
            draggable={may && !isAway}
            onDragStart={() => drag.begin({ run, device })}
            onDragEnd={drag.end}
            onDragOver={(event) => {
              if (!dragged) return;
              event.preventDefault();
              setOver(index);
            }}
            onDragLeave={() => setOver(undefined)}
            onDrop={(event) => {
              event.preventDefault();
              event.stopPropagation();
              drag.drop(device, index + 1);
              setOver(undefined);
            }}
            className={`flex min-w-0 items-center gap-2 rounded-md px-2 py-0.5 ${dragged && over === index ? 'bg-ember-soft' : 'hover:bg-sunken'} ${dragged?.run === run ? 'opacity-50' : ''}`}
          >
            {may && (
              <GripVertical
                className="size-4 shrink-0 cursor-grab text-faint pointer-coarse:hidden"
                aria-hidden="true"
              />
            )}
            <span className="figures w-5 shrink-0 text-right text-[13px] text-muted">{index + 1}</span>
            <Link
              href={`/run?id=${encodeURIComponent(run)}`}
              draggable={false}
              className="min-w-0 truncate font-medium hover:underline"
            >
              {name}
            </Link>
            {priority !== 'normal' && (
              <span className="shrink-0 rounded border border-line px-1.5 text-[11.5px] text-muted">
                {t(`priority.${priority}`)}
              </span>
            )}
            <span className="figures ml-auto whitespace-nowrap text-[12.5px] text-muted max-sm:hidden">
              {by && `${by} · `}
              {t('since', { time: format.time(since) })}
            </span>
            {may && !hasBegun && <WaitsOn run={run} name={name} device={device} onError={setError} />}
            {may && (
              <span className="flex shrink-0 max-sm:ml-auto">
                <IconButton
                  label={t('up', { name })}
                  disabled={isAway || index === 0}
                  onClick={() => move.mutate({ run, place: index })}
                >
                  <ArrowUp className="size-4" />
                </IconButton>
                <IconButton
                  label={t('down', { name })}
                  disabled={isAway || index === waiting.length - 1}
                  onClick={() => move.mutate({ run, place: index + 2 })}
                >
                  <ArrowDown className="size-4" />
                </IconButton>
                <IconButton label={t('remove', { name })} disabled={isAway} onClick={() => remove.mutate(run)}>
                  <X className="size-4" />
                </IconButton>
              </span>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}
