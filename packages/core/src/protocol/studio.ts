/** What the agent tells a studio beside the events of a run. Browser-safe. */

import type { z } from 'zod';
import type { Alert } from './alerts.ts';
import type { LoadedModel } from './chattable.ts';
import type { EventOf, errorSchema, RunEvent } from './events.ts';
import type { HostSample } from './host.ts';
import type { Priority } from './priorities.ts';
import type { QueuePlace } from './queue.ts';
import type { Note } from './remarks.ts';
import type { Smoothing } from './smoothing.ts';
import type { RunState, Status } from './status.ts';

export type ToldError = z.infer<typeof errorSchema>;

/** As `RunState`; `queued` where it waits for its device, `interrupted` where the process that should be running is gone, `damaged` where the log cannot be read. */
export type ShownState = RunState | 'queued' | 'interrupted' | 'damaged';

/** A run in one line. */
export interface ListedRun extends Omit<Status, 'state'> {
  /** Its folder, relative to the workspace, with `/`: what names it in requests and links. */
  key: string;
  state: ShownState;
  /** As the recipe names it; null where the recipe cannot be read. */
  baseModel: string | null;
  adapter: string | null;
  /** The objective as the recipe names it; null where answers are imitated, and where nobody knows. */
  rl: string | null;
  /** As the recipe names it. */
  device: string | null;
  seed: number | null;
  /** The same in runs whose recipes are alike but for the seed. */
  family: string | null;
  /** Where it stands among the runs that wait; null where it does not. */
  queued: QueuePlace | null;
  /** Why it was not started when its turn came; null once it has gone on. */
  refusal: ToldError | null;
  /** What somebody asked for and the run has not done yet. */
  requested: 'stop' | 'save' | null;
  /** Oldest first, the newest twenty. */
  alerts: readonly Alert[];
  /** What somebody has written about it. */
  note: Note | null;
  tags: readonly string[];
  lowestEvaluationLoss: number | null;
  /** Seconds until the last step, from and to; null until there are enough steps to say. */
  remaining: readonly [number, number] | null;
  /** The loss so far in few points, for a small picture. */
  outline: readonly number[];
}

/** What a run is made of. */
export interface RunRecipe {
  written: string;
  resolved: string;
  /** The recipe's key; null where none in the workspace is taken for it. */
  file: string | null;
  /** The text of that file is another one: it was changed since, or the run has settings of its own. */
  fileDiffers: boolean;
}

/** A change of the list: what is new or different, and the keys of what is gone. The first holds everything. */
export interface RunListChange {
  runs: ListedRun[];
  gone: string[];
}

/** A measured quantity in buckets of steps; null where no value of the bucket was finite, empty where none of any bucket was. */
export interface Band {
  min: (number | null)[];
  max: (number | null)[];
  mean: (number | null)[];
}

/** Of a step where answers are judged: `PreferenceMeasures`, or those of sampled answers. */
export const answerMetrics = [
  'reward',
  'rewardSpread',
  'rewardMargin',
  'rewardAccuracy',
  'rewardChosen',
  'rewardRejected',
  'logpChosen',
  'logpRejected',
  'divergence',
  'clipShare',
  'balanceLoss',
  'answerTokens',
  'cutShare',
  'equalShare',
] as const;
export const metrics = [
  'loss',
  'learningRate',
  'gradNorm',
  'tokensPerSecond',
  'milliseconds',
  'tokens',
  'targetTokens',
  'memory',
  ...answerMetrics,
] as const;
export type Metric = (typeof metrics)[number];

/** The steps of a run, or of a part of it, in so few buckets that they can be sent and drawn. */
export interface RunSeries {
  /** The last event counted in: what comes after it has a higher number. */
  seq: number;
  /** The last step of each bucket. */
  step: number[];
  /** When the last step of each bucket ended, in seconds since the run was created. */
  seconds: number[];
  /** Tokens of all steps up to the last of each bucket. */
  tokens: number[];
  bands: Record<Metric, Band>;
  /** Of a run that samples, the mean value of each of its reward functions. */
  rewardByFunction: Record<string, Band>;
  /** The average after the last step of each bucket, computed over every step of the run. */
  smoothedLoss: (number | null)[];
  /** Where the average stands after the last step of the run. */
  smoothing: Smoothing;
  evaluations: { step: number; loss: number | null }[];
  checkpoints: number[];
  /** Steps after which a later launch went on. */
  resumes: number[];
  /** Steps whose loss was not finite; the first hundred. */
  notFinite: number[];
  /** The first and the last step there are, whatever part was asked for; null before the first. */
  extent: readonly [number, number] | null;
}

/** The newest events of a run that are no step. */
export interface RunHappenings {
  seq: number;
  events: RunEvent[];
}

/** New events of a run and the summary after them. */
export interface RunNews {
  events: RunEvent[];
  summary: ListedRun;
}

export type StepEvent = EventOf<'step'>;

/** What the machine is doing, and the models that this agent has in memory to be talked to. */
export interface HostNow extends HostSample {
  models: LoadedModel[];
}

/** The queue, device by device. */
export interface QueueState {
  devices: {
    device: string;
    /** How many runs it may train at a time. */
    concurrency: number;
    /** What trains there now, whoever started it. */
    running: { run: string; name: string; pid: number }[];
    /** First to begin first. `since`: ISO 8601, UTC. One that has begun keeps its device. */
    waiting: { run: string; name: string; priority: Priority; since: string; by: string | null; hasBegun: boolean }[];
  }[];
}

/** A recipe of the workspace. */
export interface ListedRecipe {
  /** Relative to the workspace, with `/`: what names it in requests and links. */
  key: string;
  /** ISO 8601, UTC. */
  modified: string;
}

/** A key that two versions of a recipe have different values for; undefined where it is not written. */
export interface ChangedKey {
  key: string;
  from: string | undefined;
  to: string | undefined;
}

/** How the file of a recipe stands to the text that is edited, as the agent tells everybody who has it open. */
export interface RecipeFileState {
  /** `missing`: somebody has removed it. `failed`: it cannot be read or written, as `error` says. */
  file: 'written' | 'pending' | 'missing' | 'failed';
  error: ToldError | null;
  /** What somebody has changed in the file was just taken into the text. */
  merged: boolean;
  /** When the newest version in the history was kept. */
  newestVersion: string | null;
}
