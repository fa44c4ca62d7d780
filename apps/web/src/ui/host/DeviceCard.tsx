'use client';
import type { GpuSample } from '@anneal/core/protocol/host';
import { useMutation } from '@tanstack/react-query';
import Link from 'next/link';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useConnection } from '../../agent/hooks.ts';
import { useMay } from '../../agent/useMe.ts';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { GpuFigures } from './GpuFigures.tsx';
import type { Lane } from './lane.ts';
import type { QueueDrag } from './useQueueDrag.ts';
import { WaitingList } from './WaitingList.tsx';

/** A device: what trains there, and what waits for it. A run that waits for another one can be dropped on it. */
export function DeviceCard({
  lane,
  title,
  gpu,
  drag,
}: {
  lane: Lane;
  title: string | undefined;
  gpu: GpuSample | undefined;
  drag: QueueDrag;
}) {
  const t = useTranslations('host');
  const { device, concurrency, running, waiting } = lane;
  const isAway = useConnection() !== 'open';
  const may = useMay('operator');
  const set = useMutation({ mutationFn: (runs: number) => agent().queue.setConcurrency.mutate({ device, runs }) });
  const [isOver, setIsOver] = useState(false);
  const takes = drag.dragged !== undefined && drag.dragged.device !== device;
  const failure = set.error ?? drag.refusalOn(device);
  return (
    <section
      aria-label={device}
      onDragOver={(event) => {
        if (!takes) return;
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget as Node | null)) setIsOver(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        if (takes) drag.drop(device, null);
      }}
      onDropCapture={() => setIsOver(false)}
      className={`overflow-hidden rounded-lg border bg-surface ${takes && isOver ? 'border-ember' : 'border-line'}`}
    >
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1 border-line border-b px-4 py-2.5">
        <h2 className="font-medium font-mono text-[13.5px]">{device}</h2>
        <span className="min-w-0 text-[13px] text-muted [overflow-wrap:anywhere]">{title ?? t('gone')}</span>
        <label className="ml-auto flex items-center gap-2 text-[12.5px] text-muted">
          {t('concurrency')}
          <select
            value={concurrency}
            disabled={!may || isAway || set.isPending}
            onChange={(event) => set.mutate(Number(event.target.value))}
            className="h-7 rounded-md border border-line bg-surface px-1.5 text-ink"
          >
            {[...new Set([0, 1, 2, 3, 4, concurrency])].map((runs) => (
              <option key={runs} value={runs}>
                {runs === 0 ? t('none') : runs}
              </option>
            ))}
          </select>
        </label>
      </header>
      {failure != null && (
        <div className="p-3">
          <ErrorNote error={shownError(failure)} />
        </div>
      )}
      {gpu && <GpuFigures gpu={gpu} nameOf={(pid) => running.find((run) => run.pid === pid)?.name} />}
      {running.length === 0 && waiting.length === 0 && (
        <p className="px-4 py-3 text-[13px] text-muted">{t(concurrency === 0 ? 'heldFree' : 'free')}</p>
      )}
      {running.length > 0 && (
        <div className="px-4 py-2.5">
          <h3 className="label">{t('running')}</h3>
          <ul>
            {running.map(({ run, name }) => (
              <li key={run} className="flex min-w-0 items-center gap-2 py-1">
                <span className="size-[7px] shrink-0 animate-breathe rounded-full bg-ember" aria-hidden="true" />
                <Link href={`/run?id=${encodeURIComponent(run)}`} className="truncate font-medium hover:underline">
                  {name}
                </Link>
                <span className="truncate font-mono text-[12px] text-muted max-sm:hidden">{run}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
      {waiting.length > 0 && <WaitingList device={device} waiting={waiting} isHeld={concurrency === 0} drag={drag} />}
    </section>
  );
}
