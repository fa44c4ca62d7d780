import { mostComparedRuns } from '@anneal/core/protocol/comparedRuns';
import type { RunComparison } from '@anneal/core/protocol/runs';
import type { ListedRun, RunSeries } from '@anneal/core/protocol/studio';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { agent } from './connection.ts';
import { useHasSocket, useRunList } from './hooks.ts';

/** Enough for a chart of the page's width: the lowest and highest of each bucket are sent, too. */
const buckets = 400;
const liveMilliseconds = 5000;

export interface ComparedRun {
  run: ListedRun;
  measures: RunComparison['runs'][number];
  series: RunSeries;
}

export interface Comparison {
  runs: readonly ComparedRun[];
  /** The keys in which the recipes differ. */
  recipe: readonly string[];
}

export interface ComparisonState {
  comparison: Comparison | undefined;
  error: unknown;
  /** Named, but not there. */
  gone: readonly string[];
  /** There, but their logs cannot be read. */
  damaged: readonly ListedRun[];
  /** How many there are to compare; undefined until the list is known. */
  count: number | undefined;
}

/** The runs side by side, asked for again while one of them goes on. */
export function useComparison(keys: readonly string[]): ComparisonState {
  const list = useRunList();
  const hasSocket = useHasSocket();
  const found = keys.flatMap((key) => list?.find((run) => run.key === key) ?? []);
  const whole = found.filter(({ state }) => state !== 'damaged');
  const named = whole.map(({ key }) => key);
  const goesOn = whole.some(({ state }) => state === 'running' || state === 'preparing');
  const { data, error } = useQuery({
    queryKey: ['comparison', named],
    queryFn: async () => {
      const [compared, ...series] = await Promise.all([
        agent().runs.compare.query({ runs: named }),
        ...named.map((run) => agent().runs.series.query({ run, buckets })),
      ]);
      return { compared, series };
    },
    enabled: hasSocket && named.length >= 2 && named.length <= mostComparedRuns,
    refetchInterval: goesOn ? liveMilliseconds : false,
  });
  const client = useQueryClient();
  // Its last steps came after the last answer.
  useEffect(() => void client.invalidateQueries({ queryKey: ['comparison'] }), [client, goesOn]);
  return {
    comparison: data
      ? {
          recipe: data.compared.recipe,
          runs: whole.map((run, at) => ({
            run,
            measures: data.compared.runs[at] as ComparedRun['measures'],
            series: data.series[at] as RunSeries,
          })),
        }
      : undefined,
    error,
    gone: list ? keys.filter((key) => !list.some((run) => run.key === key)) : [],
    damaged: found.filter(({ state }) => state === 'damaged'),
    count: list && whole.length,
  };
}
