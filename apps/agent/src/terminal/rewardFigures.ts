import { formatNumber } from '../units.ts';

const names = {
  reward: 'reward',
  rewardSpread: 'spread within prompts',
  rewardAccuracy: 'reward accuracy',
  rewardMargin: 'reward margin',
  rewardChosen: 'reward chosen',
  rewardRejected: 'reward rejected',
  logpChosen: 'log p chosen',
  logpRejected: 'log p rejected',
  divergence: 'divergence',
  balanceLoss: 'balance loss',
  clipShare: 'clipped',
  answerTokens: 'tokens an answer',
  cutShare: 'cut',
  equalShare: 'prompts with equal rewards',
} as const;

export type RewardFigure = keyof typeof names;

export type RewardMeasures = Readonly<Partial<Record<RewardFigure, number | null | undefined>>> & {
  readonly rewardByFunction?: Readonly<Record<string, number>> | undefined;
};

/** What a step or an evaluation says of answers that are preferred, or were sampled, in words; nothing where it is not about them. */
export function rewardFigures(
  measures: RewardMeasures,
  wanted: readonly RewardFigure[] = Object.keys(names) as RewardFigure[],
): [string, string][] {
  return wanted.flatMap((name): [string, string][] => {
    const value = measures[name];
    return value === undefined || value === null ? [] : [[names[name], formatNumber(value)]];
  });
}

/** The mean of each function that judged. */
export function functionFigures({ rewardByFunction = {} }: RewardMeasures): [string, string][] {
  return Object.entries(rewardByFunction).map(([name, value]) => [`reward ${name}`, formatNumber(value)]);
}
