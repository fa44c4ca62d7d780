import { ktoObjective } from './kto.ts';
import type { Objective } from './objective.ts';
import { type PairObjectiveOptions, pairObjective } from './pairs.ts';
import { type PolicyObjectiveOptions, policyObjective } from './policy.ts';
import { rewardObjective } from './reward.ts';
import { supervised } from './supervised.ts';

export type { Objective } from './objective.ts';

/** An objective with its numbers; docs/preference.md has the formulas. */
export type ObjectiveOptions =
  | { readonly kind: 'sft' }
  | {
      /** Rafailov et al. 2023; `ipo` Azar et al. 2023; `robust` Chowdhury et al. 2024. */
      readonly kind: 'dpo';
      readonly loss: 'sigmoid' | 'hinge' | 'ipo' | 'robust';
      readonly beta: number;
      readonly labelSmoothing: number;
      readonly referenceFree: boolean;
      readonly sftWeight: number;
    }
  /** Hong et al. 2024. */
  | { readonly kind: 'orpo'; readonly beta: number }
  | {
      /** Xu et al. 2024; `simpo` Meng et al. 2024. */
      readonly kind: 'cpo';
      readonly loss: 'sigmoid' | 'hinge' | 'ipo' | 'simpo';
      readonly beta: number;
      readonly labelSmoothing: number;
      readonly gamma: number;
      readonly sftWeight: number;
    }
  | {
      readonly kind: 'kto';
      readonly beta: number;
      readonly desirableWeight: number;
      readonly undesirableWeight: number;
      readonly divergence: boolean;
    }
  /** Bradley and Terry 1952. */
  | { readonly kind: 'reward'; readonly center: number }
  /** Shao et al. 2024; `sequence` Zheng et al. 2025. What answers are worth is no matter of the loss: `sampledAnswers.ts`. */
  | ({ readonly kind: 'grpo' } & PolicyObjectiveOptions);

/** @param padToken of the model: of `reward`, a score is that of the last token that is another one */
export function objectiveOf(options: ObjectiveOptions, padToken: number | null = null): Objective {
  switch (options.kind) {
    case 'sft':
      return supervised;
    case 'dpo':
      return pairObjective({
        ...ofForm(options.loss, options.beta),
        ...smoothed(options.loss, options.labelSmoothing),
        hasReference: !options.referenceFree,
        // Rewards stay sums where IPO compares means: as TRL reports them.
        meanRewards: false,
        likelihoodWeight: options.sftWeight,
      });
    case 'orpo':
      return pairObjective({
        ...ofForm('sigmoid', 1),
        value: 'logOdds',
        right: options.beta,
        rewardScale: options.beta,
        meanRewards: true,
        hasReference: false,
        likelihoodWeight: 1,
        likelihoodOfPrompts: true,
      });
    case 'cpo':
      return pairObjective({
        ...ofForm(options.loss, options.beta),
        ...smoothed(options.loss, options.labelSmoothing),
        ...(options.loss === 'simpo' && { value: 'mean', gamma: options.gamma }),
        hasReference: false,
        meanRewards: options.loss === 'ipo' || options.loss === 'simpo',
        likelihoodWeight: options.sftWeight,
      });
    case 'kto':
      return ktoObjective({
        beta: options.beta,
        chosenWeight: options.desirableWeight,
        rejectedWeight: options.undesirableWeight,
        divergence: options.divergence,
      });
    case 'reward':
      return rewardObjective({ ...options, padToken });
    case 'grpo':
      return policyObjective(options);
  }
}

type Loss = 'sigmoid' | 'hinge' | 'ipo' | 'robust' | 'simpo';

function ofForm(loss: Loss, beta: number): Omit<PairObjectiveOptions, 'hasReference' | 'meanRewards'> {
  const usual = { right: 1, wrong: 0, rewardScale: beta, likelihoodWeight: 0, likelihoodOfPrompts: false } as const;
  // (margin of means - 1 / (2 · beta))²
  if (loss === 'ipo') return { ...usual, form: 'square', value: 'mean', beta: 1, gamma: 1 / (2 * beta) };
  return { ...usual, form: loss === 'hinge' ? 'hinge' : 'sigmoid', value: 'sum', beta, gamma: 0 };
}

/** Of labels of which a share is wrong; `robust` makes up for it, so that the loss is that of the right ones in the mean. */
function smoothed(loss: Loss, share: number): Partial<Pick<PairObjectiveOptions, 'right' | 'wrong'>> {
  if (loss === 'robust') return { right: (1 - share) / (1 - 2 * share), wrong: -share / (1 - 2 * share) };
  return { right: 1 - share, wrong: share };
}
