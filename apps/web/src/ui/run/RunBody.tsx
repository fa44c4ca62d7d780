'use client';
/** What stands below the figures of a run: its curves, the step that is looked at, and the rest in tabs. */
import dynamic from 'next/dynamic';
import { fetchPart } from '../../agent/fetchPart.ts';
import type { LiveRun, RunFacts } from '../../agent/liveRun.ts';
import { useStore } from '../../agent/useLiveRun.ts';
import { RunCharts, type RunChartsProps } from '../charts/RunCharts.tsx';
import type { StepPanelProps } from './batch/StepPanel.tsx';
import { RunDetails } from './RunDetails.tsx';

/** Loaded when somebody looks at a step. */
const BatchPanel = dynamic(async () => (await fetchPart(() => import('./batch/BatchPanel.tsx'))).BatchPanel, {
  ssr: false,
});
const AnswersPanel = dynamic(async () => (await fetchPart(() => import('./answers/AnswersPanel.tsx'))).AnswersPanel, {
  ssr: false,
});

export function RunBody({ facts, ...charts }: RunChartsProps & { facts: RunFacts }) {
  const { run, step, onStep } = charts;
  const hasCharts = useStore(run.hasSteps) !== undefined;
  return (
    <>
      <RunCharts {...charts} />
      {step !== null && step > 0 && <StepOf live={run} step={step} onStep={onStep} />}
      {/* Below the charts, once they have their place. */}
      {hasCharts && <RunDetails live={run} run={facts} />}
    </>
  );
}

/** What it sampled, of a run that learns from its own answers; of any other the rows it read. */
function StepOf({ live, ...props }: { live: LiveRun } & StepPanelProps) {
  const judged = useStore(live.judged);
  const run = useStore(live.summary);
  if (judged === undefined || !run) return null;
  return judged.split(' ').includes('reward') ? (
    <AnswersPanel run={run} {...props} />
  ) : (
    <BatchPanel run={run} {...props} />
  );
}
