import { type Graph, linearLogProbability, type Tensor } from '@anneal/kernels';
import type { ModelPass } from './objective.ts';

/** Which rows are supervised, and by what. */
export function labelInputs(graph: Graph): { labels: Tensor; rows: Tensor } {
  return { labels: graph.input('labels', 'i32', ['T']), rows: graph.input('supervisedRows', 'i32', ['R']) };
}

/** f32[R]: log-probabilities of the labels of the supervised rows. */
export function labelLogps(graph: Graph, { head, bf16 }: ModelPass, logitRows: number): Tensor {
  const { softCap, ...inputs } = head;
  return linearLogProbability({ ...inputs, ...labelInputs(graph) }, { bf16, logitRows, softCap });
}

/** Positions with a label, ascending. */
export function supervisedRows(labels: Int32Array): Int32Array<ArrayBuffer> {
  return labels.map((label, t) => (label >= 0 ? t : -1)).filter((t) => t >= 0);
}
