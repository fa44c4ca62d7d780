/** What is said of a curve of losses in the same way wherever it is judged: after a run, or while it trains. */
import type { EventOf } from '../protocol/events.ts';

/** Mean and standard error of losses. */
export interface Level {
  readonly mean: number;
  readonly error: number;
}

export function levelOf(values: readonly number[]): Level {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1);
  return { mean, error: Math.sqrt(variance / values.length) };
}

/** A change between two levels that noise does not explain: more than three times the error of their difference. */
export function isBeyondNoise(from: Level, to: Level): boolean {
  return Math.abs(to.mean - from.mean) > 3 * Math.hypot(from.error, to.error);
}

/** The first or last tenth of the values, at least five. */
export const firstTenth = (values: readonly number[]): number[] => values.slice(0, tenth(values));
export const lastTenth = (values: readonly number[]): number[] => values.slice(-tenth(values));

const tenth = (values: readonly number[]): number => Math.max(5, Math.ceil(values.length / 10));

/** Fewer recorded steps say nothing of a curve. */
export const fewestSteps = 20;

/** A loss so many times as high as it was is no noise of rows. */
export const farAbove = 1.5;

/** Below this mean loss of a token rows are nearly known by heart: the guides of Unsloth and of Hugging Face warn there as well. */
export const knownLoss = 0.2;

/** The step spoiled the weights, or was spoiled by them. */
export function isNotFinite({ loss, gradNorm }: Pick<EventOf<'step'>, 'loss' | 'gradNorm'>): boolean {
  return loss === null || gradNorm === null;
}
