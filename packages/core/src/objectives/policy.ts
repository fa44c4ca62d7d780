import { type PolicyLossOptions, policyLoss, policySums } from '@anneal/kernels';
import { countLabels } from '../datasets/batch.ts';
import type { Batch } from '../datasets/types.ts';
import { answerInputsOf, answerTokenLosses } from './answers.ts';
import { labelLogps } from './labels.ts';
import type { Objective, ObjectiveContext, ObjectiveResult } from './objective.ts';

export interface PolicyObjectiveOptions extends PolicyLossOptions {
  /** Of the sampling: the model that is trained is the one at this temperature. */
  readonly temperature: number;
  /** Answers are learned from once, by the model that gave them: their log-probabilities are its own. */
  readonly onPolicy: boolean;
}

const none = { prompts: false };
const nothing = { advantage: 0, weight: 0, old: null };

/**
 * Answers that the model gave itself, by how much better each was than others to the same prompt: GRPO and its kin. What a batch's
 * documents are worth lies with it (`Batch.answers`); their weights are absolute, so that losses of batches add up.
 */
export function policyObjective({ temperature, onPolicy, ...options }: PolicyObjectiveOptions): Objective {
  const addLoss = (context: ObjectiveContext): ObjectiveResult => {
    const { graph, policy, sums, logitRows } = context;
    const reference_R = options.beta > 0 ? context.reference() : undefined;
    const logps_R = labelLogps(graph, policy(), logitRows);
    const each = (name: string) => graph.input(name, 'f32', ['S']);
    const inputs = {
      logps: logps_R,
      rowOffsets: graph.input('rowOffsets', 'i32', ['S']),
      advantages: each('advantages'),
      weights: each('answerWeights'),
      sums,
      reference: reference_R,
      old: onPolicy ? undefined : graph.input('oldLogps', 'f32', ['R']),
    };
    return { sums: policyLoss(inputs, options), rows: logps_R };
  };
  return {
    answersPerRow: 1,
    sumCount: policySums.length,
    temperature,
    divergence: false,
    train: addLoss,
    evaluate: addLoss,
    tokenLosses: (logps, batch) => answerTokenLosses(logps, batch, none),
    inputsOf: (batch) => {
      const { rows, inputs } = answerInputsOf(batch, none);
      const answers = Array.from(batch.cuSeqlens, (_, d) => batch.answers?.[d] ?? nothing);
      const oldLogps = new Float32Array(rows);
      if (!onPolicy) {
        const rowOffsets = inputs.rowOffsets as Int32Array;
        for (const [d, { old }] of answers.entries()) if (old) oldLogps.set(old, rowOffsets[d] as number);
      }
      return {
        rows,
        inputs: {
          ...inputs,
          advantages: Float32Array.from(answers, ({ advantage }) => advantage),
          answerWeights: Float32Array.from(answers, ({ weight }) => weight),
          oldLogps,
        },
      };
    },
    countsOf: (batches) => {
      const counts = { tokens: 0, chosen: 0, rejected: 0, sampled: 0, divergencePairs: 0 };
      for (const batch of batches) {
        for (const [d, tokens] of answerTokens(batch).entries()) {
          const answer = batch.answers?.[d];
          if (answer) counts.sampled++;
          if (answer && answer.weight !== 0) counts.tokens += tokens;
        }
      }
      return counts;
    },
    trainScales: () => ({}),
    evaluationScales: () => ({}),
    read: (sums, { tokens, sampled }) => {
      const [loss = Number.NaN, divergence = 0, low = 0, high = 0] = Array.from(sums);
      return {
        loss,
        preference: null,
        policy: {
          divergence: options.beta > 0 ? divergence / Math.max(1, tokens) : null,
          clipShare: (low + high) / Math.max(1, options.sequence ? sampled : tokens),
        },
      };
    },
  };
}

/** Target tokens of each document. */
export function answerTokens({ labels, cuSeqlens, documents }: Batch): number[] {
  return documents.map((_, d) => countLabels({ labels: labels.subarray(cuSeqlens[d], cuSeqlens[d + 1]) }));
}
