import type { DataReport } from '../protocol/data.ts';
import type { EventOf } from '../protocol/events.ts';
import type { ResolvedRecipe } from '../recipe/resolve.ts';
import type { RecordedSteps } from './recordedSteps.ts';

/** What a run recorded, as far as the rules look at it. */
export interface Evidence {
  readonly recipe: ResolvedRecipe;
  readonly steps: RecordedSteps;
  readonly evaluations: readonly { step: number; loss: number | null }[];
  /** Of the newest step that has some. */
  readonly samples: readonly EventOf<'sample'>[];
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

export const percent = (share: number): string =>
  `${(100 * share).toFixed(share > 0 && share < 0.1 ? 1 : 0).replace(/\.0$/, '')} %`;

export const rounded = (value: number): string => String(Number(value.toPrecision(3)));
