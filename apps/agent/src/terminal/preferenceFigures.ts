import type { PreferenceMeasures } from '@anneal/core/objectives/objective';
import { formatNumber } from '../units.ts';

const names: Readonly<Record<keyof PreferenceMeasures, string>> = {
  rewardAccuracy: 'reward accuracy',
  rewardMargin: 'reward margin',
  rewardChosen: 'reward chosen',
  rewardRejected: 'reward rejected',
  logpChosen: 'log p chosen',
  logpRejected: 'log p rejected',
  divergence: 'divergence',
};

type Measures = Readonly<Partial<Record<keyof PreferenceMeasures, number | null | undefined>>>;

/** What a step or an evaluation says of chosen and rejected answers, in words; nothing where it is not about them. */
export function preferenceFigures(
  measures: Measures,
  wanted: readonly (keyof PreferenceMeasures)[] = Object.keys(names) as (keyof PreferenceMeasures)[],
): [string, string][] {
  return wanted.flatMap((name): [string, string][] => {
    const value = measures[name];
    return value === undefined || value === null ? [] : [[names[name], formatNumber(value)]];
  });
}
