'use client';
import { mostComparedRuns } from '@anneal/core/protocol/comparedRuns';
import { seedGroups } from '@anneal/core/protocol/seedGroups';
import { ChevronLeft } from 'lucide-react';
import dynamic from 'next/dynamic';
import Link from 'next/link';
import { parseAsArrayOf, parseAsString, useQueryState } from 'nuqs';
import { useEffect, useMemo } from 'react';
import { useTranslations } from 'use-intl';
import { fetchPart } from '../../src/agent/fetchPart.ts';
import { type Comparison, useComparison } from '../../src/agent/useComparison.ts';
import { ComparisonCsv } from '../../src/ui/compare/ComparisonCsv.tsx';
import { Part } from '../../src/ui/compare/Part.tsx';
import { Results } from '../../src/ui/compare/Results.tsx';
import { Empty } from '../../src/ui/Empty.tsx';
import { ErrorNote, shownError } from '../../src/ui/ErrorNote.tsx';
import { SeedResults } from '../../src/ui/seeds/SeedResults.tsx';

const loadBody = () => fetchPart(() => import('../../src/ui/compare/ComparedBody.tsx'));
const ComparedBody = dynamic(async () => (await loadBody()).ComparedBody, { ssr: false });

/** Which runs, the baseline and the axis stand in the address, so that a link shows the same. */
export default function CompareScreen() {
  const t = useTranslations('compare');
  const ofRun = useTranslations('run');
  const [named] = useQueryState('runs', parseAsArrayOf(parseAsString).withDefault([]));
  const keys = useMemo(() => [...new Set(named)], [named]);
  const { comparison, error, gone, damaged, count } = useComparison(keys);
  // Both are on their way at the same time.
  useEffect(() => void loadBody().catch(() => undefined), []);
  return (
    <>
      <title>{`${t('title')} · Anneal`}</title>
      <Link
        href="/"
        className="mb-3 -ml-1 inline-flex items-center gap-0.5 self-start text-[13px] text-muted hover:text-ink"
      >
        <ChevronLeft className="size-4" aria-hidden="true" />
        {ofRun('back')}
      </Link>
      <h1 className="mb-4 font-semibold text-[22px] leading-8 tracking-[-0.015em]">{t('title')}</h1>
      <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
        {gone.length > 0 && <Note>{t('gone', { runs: gone.join(', ') })}</Note>}
        {damaged.length > 0 && <Note>{t('damaged', { runs: damaged.map(({ key }) => key).join(', ') })}</Note>}
        {count !== undefined && count < 2 && (
          <Empty title={t('tooFew')}>
            <p>{t('tooFewText')}</p>
          </Empty>
        )}
        {count !== undefined && count > mostComparedRuns && (
          <Empty title={t('tooMany', { count })}>
            <p>{t('tooManyText', { most: mostComparedRuns })}</p>
          </Empty>
        )}
        {error !== null && <ErrorNote title={t('failed')} error={shownError(error)} />}
        {comparison && <Compared comparison={comparison} />}
        {!comparison && error === null && (count === undefined || (count >= 2 && count <= mostComparedRuns)) && (
          <p className="text-muted" role="status">
            {t('loading')}…
          </p>
        )}
      </div>
    </>
  );
}

function Compared({ comparison }: { comparison: Comparison }) {
  const t = useTranslations('compare');
  const ofSeeds = useTranslations('seeds');
  const { runs, recipe } = comparison;
  const [wanted, setBaseline] = useQueryState('baseline', parseAsString);
  const baseline = runs.find(({ run }) => run.key === wanted)?.run.key ?? (runs[0]?.run.key as string);
  const groups = useMemo(() => seedGroups({ runs: runs.map(({ measures }) => measures), recipe }), [runs, recipe]);
  const members = useMemo(() => groups.map((group) => group.runs), [groups]);
  const without = runs.filter(({ measures }) => measures.recordedSteps === 0).map(({ run }) => run.key);
  const goesOn = runs.some(({ run }) => run.state === 'running' || run.state === 'preparing');
  return (
    <>
      {recipe.includes('rl') && <Note>{t('objectives')}</Note>}
      {without.length > 0 && <Note>{t('noSteps', { runs: without.join(', ') })}</Note>}
      {goesOn && <p className="text-[12.5px] text-muted">{t('live')}</p>}
      <Part
        title={t('results')}
        hint={t('resultsHint')}
        action={<ComparisonCsv runs={runs.map(({ run }) => run.key)} title={t('csvResults')} />}
      >
        <Results runs={runs} baseline={baseline} onBaseline={(key) => void setBaseline(key)} />
      </Part>
      {groups.length > 0 && (
        <Part title={ofSeeds('title')} hint={ofSeeds('hint')}>
          <SeedResults runs={runs} groups={groups} />
        </Part>
      )}
      <ComparedBody comparison={comparison} groups={members} />
    </>
  );
}

function Note({ children }: { children: React.ReactNode }) {
  return (
    <p role="status" className="rounded-lg border border-warn/30 bg-warn-soft px-4 py-2.5 [overflow-wrap:anywhere]">
      {children}
    </p>
  );
}
