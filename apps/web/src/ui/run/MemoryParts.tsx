'use client';
import { useTranslations } from 'use-intl';
import type { LiveRun } from '../../agent/liveRun.ts';
import { useStore } from '../../agent/useLiveRun.ts';
import { useFormat } from '../format.ts';
import { MemoryBar } from '../MemoryBar.tsx';
import { Nothing } from './Samples.tsx';

/** The plan's bytes by class, and what the process took at most. */
export function MemoryParts({ live }: { live: LiveRun }) {
  const t = useTranslations('run');
  const format = useFormat();
  const peak = useStore(live.summary)?.peakMemory ?? null;
  const planned = useStore(live.happenings)?.findLast((event) => event.type === 'planned');
  if (planned?.type !== 'planned') return <Nothing title={t('noSteps')} />;
  return (
    <div className="px-4 py-4">
      <MemoryBar memory={planned.memory} />
      {peak !== null && (
        <p className="figures mt-3 text-[13px] text-muted">{t('peak', { value: format.bytes(peak) })}</p>
      )}
    </div>
  );
}
