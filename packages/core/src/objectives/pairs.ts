import { type PairLossOptions, pairLoss } from '@anneal/kernels';
import { answerInputs, answerInputsOf, answerTokenLosses, countAnswers, measuresOf, sumCount } from './answers.ts';
import type { Objective, ObjectiveContext, ObjectiveResult } from './objective.ts';

export interface PairObjectiveOptions extends PairLossOptions {
  readonly hasReference: boolean;
  /** Of the mean of -log p over the tokens of the chosen answers. */
  readonly likelihoodWeight: number;
  /** That mean is over their prompts, too. */
  readonly likelihoodOfPrompts: boolean;
}

/** A loss of how much better a chosen answer does than the rejected one of the same row: DPO and its kin. */
export function pairObjective(options: PairObjectiveOptions): Objective {
  const { hasReference, likelihoodWeight: weight, likelihoodOfPrompts: prompts } = options;
  const addLoss = (context: ObjectiveContext): ObjectiveResult => {
    const reference_R = hasReference ? context.reference() : undefined;
    const inputs = answerInputs(context);
    return { sums: pairLoss({ ...inputs, reference: reference_R }, lossOptions(options)), rows: inputs.logps };
  };
  return {
    answersPerRow: 2,
    sumCount,
    divergence: false,
    train: addLoss,
    evaluate: addLoss,
    tokenLosses: (logps, batch) => answerTokenLosses(logps, batch, { prompts }),
    inputsOf: (batch) => answerInputsOf(batch, { prompts }),
    countsOf: (batches, divergence) => countAnswers(batches, divergence, { prompts }),
    trainScales: ({ chosen, tokens }) => ({ lossScale: Float32Array.of(1 / chosen, weight / tokens) }),
    evaluationScales: () => ({ lossScale: Float32Array.of(1, weight) }),
    read: (sums, counts) => {
      const [preference = Number.NaN, likelihood = Number.NaN] = [sums[0], sums[1]];
      const loss = preference / counts.chosen + (weight === 0 ? 0 : (weight * likelihood) / counts.tokens);
      return { loss, preference: measuresOf(sums, counts), policy: null };
    },
  };
}

function lossOptions({ form, value, beta, gamma, right, wrong, rewardScale, meanRewards }: PairObjectiveOptions) {
  return { form, value, beta, gamma, right, wrong, rewardScale, meanRewards };
}
