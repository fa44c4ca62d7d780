'use client';
import type { HostNow } from '@anneal/core/protocol/studio';
import { useTranslations } from 'use-intl';
import { useFormat } from '../format.ts';
import { Gauge } from './Gauge.tsx';

/** What the whole machine has left. */
export function HostFigures({ samples }: { samples: readonly HostNow[] }) {
  const t = useTranslations('host');
  const format = useFormat();
  const now = samples.at(-1);
  if (!now) return null;
  const { cpu, memory, disk } = now;
  return (
    <dl className="grid divide-line overflow-hidden rounded-lg border border-line bg-surface max-sm:divide-y sm:grid-cols-3 sm:divide-x">
      <Gauge
        name={t('processor')}
        figure={t('percent', { value: format.count(100 * cpu.busy) })}
        note={t('threads', { threads: cpu.threads, load: cpu.load.toFixed(2) })}
        share={cpu.busy}
        history={samples.map((sample) => sample.cpu.busy)}
      />
      <Gauge
        name={t('memory')}
        figure={t('left', { value: format.bytes(memory.available) })}
        note={t('of', { value: format.bytes(memory.total) })}
        share={1 - memory.available / memory.total}
      />
      <Gauge
        name={t('disk')}
        figure={t('left', { value: format.bytes(disk.free) })}
        note={`${t('of', { value: format.bytes(disk.total) })} · ${disk.folder}`}
        share={1 - disk.free / disk.total}
      />
    </dl>
  );
}
