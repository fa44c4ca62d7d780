/** What is asked of steps and batches, of a run or before one: their rows, the tokens of these, and the losses of the tokens. */
import type { BatchRowTokens, MeasuredStep, MeasuringProgress } from '@anneal/core/protocol/batches';
import type { ListedRun } from '@anneal/core/protocol/studio';
import { useQueries, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { agent } from './connection.ts';
import { useHasSocket } from './hooks.ts';

/** As many as one answer has. */
export const partTokens = 2000;

/** Asked for again once the run has come to the step: then its rows have losses. */
export function useBatch({ key, step: done }: ListedRun, step: number) {
  const enabled = useHasSocket();
  return useQuery({
    queryKey: ['batch', key, step, done >= step],
    queryFn: () => agent().runs.batch.query({ run: key, step }),
    staleTime: Number.POSITIVE_INFINITY,
    enabled,
  });
}

/** What a step of `rl: grpo` sampled; asked for again once the run has come to the step. */
export function useAnswers({ key, step: done }: ListedRun, step: number) {
  const enabled = useHasSocket();
  return useQuery({
    queryKey: ['answers', key, step, done >= step],
    queryFn: () => agent().runs.answers.query({ run: key, step }),
    staleTime: Number.POSITIVE_INFINITY,
    enabled,
  });
}

/** A long row comes in parts. */
export interface RowParts {
  tokens: BatchRowTokens[];
  error: unknown;
}

/** The first tokens of a row, in so many parts. @param checkpoint by which its losses were measured; null while they are not */
export function useBatchRow(
  run: string,
  step: number,
  document: number,
  { parts, checkpoint }: { parts: number; checkpoint: number | null },
): RowParts {
  return useRowParts(parts, (part) => ({
    queryKey: ['batch', run, step, 'row', document, part, checkpoint],
    queryFn: () => agent().runs.batchRow.query({ run, step, document, from: part * partTokens }),
    // What was shown without losses stays until they are here.
    placeholderData: (before: BatchRowTokens | undefined) => (before?.document === document ? before : undefined),
  }));
}

/** The same of a row of the first batches. @param id of these */
export function useFirstBatchRow(recipe: string, id: string, document: number, parts: number): RowParts {
  return useRowParts(parts, (part) => ({
    queryKey: ['first-batches', recipe, id, document, part],
    queryFn: () => agent().recipes.firstBatchRow.query({ recipe, id, document, from: part * partTokens }),
  }));
}

interface RowPart {
  queryKey: readonly unknown[];
  queryFn: () => Promise<BatchRowTokens>;
  placeholderData?: (before: BatchRowTokens | undefined) => BatchRowTokens | undefined;
}

function useRowParts(parts: number, partOf: (part: number) => RowPart): RowParts {
  const enabled = useHasSocket();
  const answers = useQueries({
    queries: Array.from({ length: parts }, (_, part) => ({
      ...partOf(part),
      staleTime: Number.POSITIVE_INFINITY,
      enabled,
    })),
  });
  return {
    tokens: answers.flatMap(({ data }) => (data ? [data] : [])),
    error: answers.find(({ error }) => error)?.error,
  };
}

export interface Measuring {
  progress?: MeasuringProgress;
  result?: MeasuredStep;
  error?: unknown;
}

/** The losses of a step's tokens while they are measured, for as long as somebody looks at the step. */
export function useMeasuring(run: string, step: number, isWanted: boolean): Measuring {
  const enabled = useHasSocket() && isWanted;
  const [shown, setShown] = useState<Measuring & { of: string }>();
  const of = `${run} ${step}`;
  useEffect(() => {
    if (!enabled) return;
    const subscription = agent().runs.measureBatch.subscribe(
      { run, step },
      {
        onData: (told) => setShown({ of, ...('phase' in told ? { progress: told } : { result: told }) }),
        onError: (error) => setShown({ of, error }),
      },
    );
    return () => subscription.unsubscribe();
  }, [run, step, of, enabled]);
  return shown?.of === of ? shown : {};
}
