'use client';
import type { GpuSample } from '@anneal/core/protocol/host';
import { useTranslations } from 'use-intl';
import { useFormat } from '../format.ts';
import { Gauge } from './Gauge.tsx';

/** A GPU: how busy it is, its memory, and who holds that. @param nameOf of a run or model of ours, by its process */
export function GpuFigures({ gpu, nameOf }: { gpu: GpuSample; nameOf: (pid: number) => string | undefined }) {
  const t = useTranslations('host');
  const format = useFormat();
  const { memory, utilization, celsius, watts, processes } = gpu;
  const unknown = '–';
  return (
    <>
      <dl className="grid divide-line border-line border-b max-sm:divide-y sm:grid-cols-3 sm:divide-x">
        <Gauge
          name={t('memory')}
          figure={t('left', { value: format.bytes(memory.total - memory.used) })}
          note={t('of', { value: format.bytes(memory.total) })}
          share={memory.used / memory.total}
        />
        <Gauge
          name={t('busy')}
          figure={utilization === null ? unknown : t('percent', { value: format.count(100 * utilization) })}
          share={utilization}
        />
        <Gauge
          name={t('temperature')}
          figure={celsius === null ? unknown : t('celsius', { value: format.count(celsius) })}
          note={watts === null ? undefined : t('watts', { value: format.count(watts) })}
          share={celsius === null ? null : celsius / 100}
        />
      </dl>
      {processes.length > 0 && (
        <div className="border-line border-b px-4 py-2.5">
          <h3 className="label">{t('processes')}</h3>
          <ul>
            {processes.map(({ pid, name, bytes }) => (
              <li key={pid} className="flex min-w-0 items-baseline gap-3 py-0.5 text-[13px]">
                <span className="figures w-16 shrink-0 text-muted">{pid}</span>
                <span className="min-w-0 truncate">{nameOf(pid) ?? name}</span>
                <span className="figures ml-auto shrink-0">{bytes === null ? unknown : format.bytes(bytes)}</span>
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}
