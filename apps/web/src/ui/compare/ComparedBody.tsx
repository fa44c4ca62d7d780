'use client';
/** What stands below the results of compared runs: their curves, and where their settings differ. */
import { parseAsStringLiteral, useQueryState } from 'nuqs';
import { useMemo } from 'react';
import { useTranslations } from 'use-intl';
import { seedViews } from '../../agent/addressValues.ts';
import type { Comparison } from '../../agent/useComparison.ts';
import { xAxes } from '../charts/xAxis.ts';
import { Segmented } from '../Segmented.tsx';
import { ComparedCharts } from './ComparedCharts.tsx';
import { Part } from './Part.tsx';
import { RecipeDifferences } from './RecipeDifferences.tsx';

/** @param groups of runs that differ in their seeds, by their indices */
export function ComparedBody({
  comparison,
  groups,
}: {
  comparison: Comparison;
  groups: readonly (readonly number[])[];
}) {
  const t = useTranslations('compare');
  const ofSeeds = useTranslations('seeds');
  const [axis, setAxis] = useQueryState('x', parseAsStringLiteral(xAxes).withDefault('step'));
  const [seeds, setSeeds] = useQueryState('seeds', parseAsStringLiteral(seedViews).withDefault('together'));
  const joined = useMemo(() => (seeds === 'together' ? groups : []), [groups, seeds]);
  return (
    <>
      <Part
        title={t('charts')}
        action={
          groups.length > 0 && (
            <Segmented
              label={ofSeeds('curves')}
              value={seeds}
              onChange={(value) => void setSeeds(value as (typeof seedViews)[number])}
              options={seedViews.map((value) => ({ value, name: ofSeeds(value) }))}
            />
          )
        }
      >
        <ComparedCharts runs={comparison.runs} joined={joined} axis={axis} onAxis={(value) => void setAxis(value)} />
      </Part>
      <Part title={t('recipe')} hint={t('hint')}>
        <RecipeDifferences comparison={comparison} />
      </Part>
    </>
  );
}
