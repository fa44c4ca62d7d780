import { type KtoLossOptions, ktoLoss, logRatioSumOp, type Tensor } from '@anneal/kernels';
import { answerInputs, answerInputsOf, answerTokenLosses, countAnswers, measuresOf, sumCount } from './answers.ts';
import { labelLogps } from './labels.ts';
import type { Objective, ObjectiveContext, ObjectiveResult } from './objective.ts';

export interface KtoObjectiveOptions extends KtoLossOptions {
  /** Rewards are measured from the divergence of the model from its reference; without it from 0 (TRL's apo_zero_unpaired). */
  readonly divergence: boolean;
}

/** Name of the variable that a step's divergence is summed in. */
export const divergenceVariable = 'divergence';

/**
 * Answers judged one by one (Ethayarajh et al. 2024). The divergence is estimated over a whole step, from each prompt with the answer of
 * another row: how rows lie in batches does not change it.
 */
export function ktoObjective({ divergence, ...options }: KtoObjectiveOptions): Objective {
  const none = { prompts: false };
  const addLoss = (context: ObjectiveContext): ObjectiveResult => {
    const reference_R = context.reference();
    const inputs = answerInputs(context);
    const sum = divergence ? divergenceOf(context) : undefined;
    return { sums: ktoLoss({ ...inputs, reference: reference_R, divergence: sum }, options), rows: inputs.logps };
  };
  return {
    answersPerRow: 1,
    sumCount,
    divergence,
    train: addLoss,
    evaluate: addLoss,
    measureDivergence: ({ graph, policy, reference, sums, logitRows }) => {
      const reference_R = reference();
      return graph.apply(logRatioSumOp, {
        logps: labelLogps(graph, policy(), logitRows),
        reference: reference_R,
        sum: sums,
      }).total;
    },
    tokenLosses: (logps, batch) => answerTokenLosses(logps, batch, none),
    inputsOf: (batch) => answerInputsOf(batch, none),
    countsOf: (batches, pairs) => countAnswers(batches, pairs, none),
    trainScales: ({ chosen, rejected, divergencePairs }) => ({
      lossScale: Float32Array.of(1 / (chosen + rejected), share(divergencePairs)),
    }),
    evaluationScales: ({ divergencePairs }) => ({ lossScale: Float32Array.of(1, share(divergencePairs)) }),
    read: (sums, counts) => {
      const loss = (sums[0] ?? Number.NaN) / (counts.chosen + counts.rejected);
      return { loss, preference: { ...measuresOf(sums, counts), rewardAccuracy: null }, policy: null };
    },
  };
}

function divergenceOf({ graph }: ObjectiveContext): Tensor {
  return graph.variables.get(divergenceVariable, { shape: [1], dtype: 'f64', kind: 'state' });
}

const share = (count: number): number => (count > 0 ? 1 / count : 0);
