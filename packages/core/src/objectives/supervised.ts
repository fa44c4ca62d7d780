import { type CrossEntropy, linearCrossEntropy, linearCrossEntropyTraining } from '@anneal/kernels';
import { countLabels } from '../datasets/batch.ts';
import { labelInputs, supervisedRows } from './labels.ts';
import type { ModelPass, Objective, ObjectiveContext, ObjectiveResult } from './objective.ts';

/** Cross entropy over the target tokens: supervised fine-tuning, and continued pre-training where everything is a target. */
export const supervised: Objective = {
  answersPerRow: 1,
  sumCount: 1,
  divergence: false,
  train: (context) => {
    const { inputs, options } = ofPass(context, context.policy());
    const scale = context.graph.input('lossScale', 'f32', [1]);
    return resultOf(linearCrossEntropyTraining({ ...inputs, scale }, options));
  },
  evaluate: (context) => {
    const { inputs, options } = ofPass(context, context.policy());
    return resultOf(linearCrossEntropy(inputs, options));
  },
  tokenLosses: (rows) => Float64Array.from(rows),
  inputsOf: ({ labels }) => {
    const rows = supervisedRows(labels);
    return { rows: rows.length, inputs: { labels, supervisedRows: rows } };
  },
  countsOf: (batches) => ({
    tokens: batches.reduce((sum, batch) => sum + countLabels(batch), 0),
    chosen: 0,
    rejected: 0,
    sampled: 0,
    divergencePairs: 0,
  }),
  trainScales: ({ tokens }) => ({ lossScale: Float32Array.of(1 / tokens) }),
  evaluationScales: () => ({}),
  read: (sums, { tokens }) => ({ loss: (sums[0] ?? Number.NaN) / tokens, preference: null, policy: null }),
};

function resultOf({ total, losses }: CrossEntropy): ObjectiveResult {
  return { sums: total, rows: losses };
}

function ofPass({ graph, sums, logitRows }: ObjectiveContext, { head, bf16 }: ModelPass) {
  const { softCap, ...inputs } = head;
  return { inputs: { ...inputs, ...labelInputs(graph), loss: sums }, options: { bf16, logitRows, softCap } };
}
