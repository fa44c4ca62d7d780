/** Batches whose documents end with answers that were chosen or rejected. */
import { type AnswerInputs, type Graph, type HostArray, preferenceSums, sides, type Tensor } from '@anneal/kernels';
import type { Batch } from '../datasets/types.ts';
import { labelLogps, supervisedRows } from './labels.ts';
import type { BatchRows, ObjectiveContext, ObjectiveCounts, PreferenceMeasures } from './objective.ts';

export const sumCount = preferenceSums.length;

/** What losses over answers read, and the log-probabilities of the model as it is trained. */
export function answerInputs({ graph, policy, sums, logitRows }: ObjectiveContext): AnswerInputs {
  return {
    logps: labelLogps(graph, policy(), logitRows),
    ...offsetInputs(graph),
    scale: graph.input('lossScale', 'f32', [2]),
    sums,
  };
}

export function offsetInputs(graph: Graph): Record<'rowOffsets' | 'answerOffsets' | 'side', Tensor> {
  const input = (name: string): Tensor => graph.input(name, 'i32', ['S']);
  return { rowOffsets: input('rowOffsets'), answerOffsets: input('answerOffsets'), side: input('side') };
}

/**
 * Where the rows of each document and of its answer lie among the supervised ones. With `prompts` all tokens of a chosen document are
 * supervised, those before its answer, too.
 */
export function answerInputsOf(
  batch: BatchRows,
  { prompts }: { prompts: boolean },
): { rows: number; inputs: Record<string, HostArray> } {
  const { cuSeqlens, sides: of } = batch;
  const labels = prompts ? withPrompts(batch) : batch.labels;
  const rows = supervisedRows(labels);
  const rowOffsets = new Int32Array(cuSeqlens.length);
  const answerOffsets = new Int32Array(cuSeqlens.length).fill(rows.length);
  const side = new Int32Array(cuSeqlens.length);
  let r = 0;
  for (let d = 0; d + 1 < cuSeqlens.length; d++) {
    rowOffsets[d] = r;
    const end = cuSeqlens[d + 1] as number;
    while (r < rows.length && (rows[r] as number) < end && (batch.labels[rows[r] as number] as number) < 0) r++;
    answerOffsets[d] = r;
    while (r < rows.length && (rows[r] as number) < end) r++;
    side[d] = sides[of[d] ?? 'none'];
  }
  rowOffsets[cuSeqlens.length - 1] = rows.length;
  return { rows: rows.length, inputs: { labels, supervisedRows: rows, rowOffsets, answerOffsets, side } };
}

/** Of the target tokens among the supervised rows, whose log-probabilities are given. */
export function answerTokenLosses(logps: HostArray, batch: BatchRows, { prompts }: { prompts: boolean }): Float64Array {
  const rows = supervisedRows(prompts ? withPrompts(batch) : batch.labels);
  return Float64Array.from(logps, (logp) => -logp).filter((_, r) => (batch.labels[rows[r] as number] as number) >= 0);
}

/** The labels with those of every token before the answer of a chosen document. */
function withPrompts({ tokens, labels, cuSeqlens, sides: of }: BatchRows): Int32Array<ArrayBuffer> {
  const all = Int32Array.from(labels);
  for (let d = 0; d + 1 < cuSeqlens.length; d++) {
    if (of[d] !== 'chosen') continue;
    for (let t = cuSeqlens[d] as number; t + 1 < (cuSeqlens[d + 1] as number); t++) {
      if ((labels[t] as number) >= 0) break;
      all[t] = tokens[t + 1] as number;
    }
  }
  return all;
}

/** Answers of each kind, and the tokens that the likelihood of the chosen ones is a mean over. */
export function countAnswers(
  batches: readonly Batch[],
  divergence: readonly Batch[],
  { prompts }: { prompts: boolean },
): ObjectiveCounts {
  const counts = { tokens: 0, chosen: 0, rejected: 0, sampled: 0, divergencePairs: 0 };
  for (const batch of batches) {
    const { inputs } = answerInputsOf(batch, { prompts });
    const rowOffsets = inputs.rowOffsets as Int32Array;
    for (const [d, side] of batch.sides.entries()) {
      if (side === 'rejected') counts.rejected++;
      if (side !== 'chosen') continue;
      counts.chosen++;
      counts.tokens += (rowOffsets[d + 1] as number) - (rowOffsets[d] as number);
    }
  }
  for (const { sides: of } of divergence) counts.divergencePairs += of.length;
  return counts;
}

/** What the sums of either kind of loss say of rewards and log-probabilities; the accuracy is of pairs. */
export function measuresOf(sums: ArrayLike<number>, { chosen, rejected }: ObjectiveCounts): PreferenceMeasures {
  const mean = (name: (typeof preferenceSums)[number], count: number): number | null =>
    count > 0 ? (sums[preferenceSums.indexOf(name)] as number) / count : null;
  const rewardChosen = mean('chosenReward', chosen);
  const rewardRejected = mean('rejectedReward', rejected);
  return {
    rewardChosen,
    rewardRejected,
    rewardMargin: rewardChosen !== null && rewardRejected !== null ? rewardChosen - rewardRejected : null,
    rewardAccuracy: mean('correct', chosen),
    logpChosen: mean('chosenLogp', chosen),
    logpRejected: mean('rejectedLogp', rejected),
  };
}
