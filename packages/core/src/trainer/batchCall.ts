import type { Engine, HostArray, ProgramCall } from '@anneal/kernels';
import type { Batch } from '../datasets/types.ts';
import { fillBucket } from './bucket.ts';

export interface BatchCallOptions {
  /** Beside those of the batch. */
  readonly inputs?: Readonly<Record<string, HostArray>>;
  readonly results?: readonly string[];
}

/** A call of a program that reads a batch: `train` or `evaluate` of `trainingPrograms`. */
export function batchCall(
  { device, plan }: Engine,
  program: string,
  batch: Batch,
  { inputs = {}, results = [] }: BatchCallOptions,
): ProgramCall {
  const { tokens, labels, positions, cuSeqlens } = fillBucket(batch, device.bucketTokens, plan.bounds);
  const rows = supervisedRows(labels);
  const extents = { T: tokens.length, S: cuSeqlens.length, R: rows.length };
  return {
    program,
    extents,
    inputs: { tokens, labels, positions, cuSeqlens, supervisedRows: rows, ...inputs },
    results,
  };
}

/** Positions with a label, ascending. */
function supervisedRows(labels: Int32Array): Int32Array {
  return labels.map((label, t) => (label >= 0 ? t : -1)).filter((t) => t >= 0);
}
