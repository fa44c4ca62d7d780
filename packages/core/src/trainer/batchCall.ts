import type { Engine, HostArray, ProgramCall } from '@anneal/kernels';
import type { Batch } from '../datasets/types.ts';
import type { Objective } from '../objectives/objective.ts';
import { fillBucket } from './bucket.ts';

export interface BatchCallOptions {
  /** Beside those of the batch. */
  readonly inputs?: Readonly<Record<string, HostArray>>;
  readonly results?: readonly string[];
}

/** A call of a program that reads a batch: `train`, `evaluate` or `diverge` of `trainingPrograms`. */
export function batchCall(
  { device, plan }: Engine,
  objective: Objective,
  program: string,
  batch: Batch,
  { inputs = {}, results = [] }: BatchCallOptions,
): ProgramCall {
  const filled = fillBucket(batch, device.bucketTokens, plan.bounds);
  const { tokens, positions, cuSeqlens } = filled;
  const { rows, inputs: own } = objective.inputsOf(filled);
  const extents = { T: tokens.length, S: cuSeqlens.length, R: rows };
  const read = plan.programs.find(({ name }) => name === program)?.inputs;
  const given = Object.entries({ tokens, positions, cuSeqlens, ...own, ...inputs });
  // `diverge` reads no offsets: it sums over all rows.
  return { program, extents, inputs: Object.fromEntries(given.filter(([name]) => read?.has(name))), results };
}
