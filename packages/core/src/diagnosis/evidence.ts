import type { DataReport } from '../protocol/data.ts';
import type { RunEvent } from '../protocol/events.ts';
import type { ResolvedRecipe } from '../recipe/resolve.ts';

type EventOfType<Type extends RunEvent['type']> = Extract<RunEvent, { type: Type }>;

/** What a run recorded, as far as the rules look at it. */
export interface Evidence {
  readonly recipe: ResolvedRecipe;
  /** Recorded ones, in their order, none twice. */
  readonly steps: readonly EventOfType<'step'>[];
  readonly evaluations: readonly EventOfType<'evaluated'>[];
  /** Of the newest step that has some. */
  readonly samples: readonly EventOfType<'sample'>[];
  /** Null where the run has prepared none. */
  readonly data: DataReport | null;
  /** Null where the model cannot be opened. */
  readonly endings: Endings | null;
  readonly template: TemplateEvidence | null;
}

/** How the trained answers end. */
export interface Endings {
  /** Whose end is trained: those that are cut count as well. */
  readonly documents: number;
  /** Of these, whose last trained token is one at which the model stops. */
  readonly ended: number;
}

export interface TemplateEvidence {
  /** The model has a chat template. */
  readonly hasOwn: boolean;
  /** A conversation comes out of the run's template as it comes out of the model's. */
  readonly isOwn: boolean;
}

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

/** Passes over the data. */
export const epochsOf = ({ steps }: Evidence): number => steps.at(-1)?.epoch ?? 0;

export const percent = (share: number): string =>
  `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0).replace(/\.0$/, '')} %`;

export const rounded = (value: number): string => String(Number(value.toPrecision(3)));
