/** What a client asks of runs, and what it is told. Browser-safe. */
import { z } from 'zod';
import { alertName, alertSchema } from './alerts.ts';
import { mostComparedRuns } from './comparedRuns.ts';
import { errorSchema } from './events.ts';
import { mostNoteCharacters, mostTags } from './remarkForms.ts';
import { noteSchema, tagSchema } from './remarks.ts';
import { runStateSchema, statusSchema } from './status.ts';

/** A run by its id, the beginning or end of it, a path, or `latest`. */
export const runName = z.string().min(1);

/** `key=value` of the recipe, each replacing what it says. */
export const overridesSchema = z.array(z.string()).readonly().default([]);

export const runRequest = z.strictObject({ run: runName.default('latest') });
export type RunRequest = z.input<typeof runRequest>;

export const createRunRequest = z.strictObject({
  /** Path of the recipe. */
  recipe: z.string().min(1),
  /** Instead of what the file holds. */
  text: z.string().optional(),
  set: overridesSchema,
  /** By default the name of the recipe. */
  name: z.string().min(1).optional(),
});
export type CreateRunRequest = z.input<typeof createRunRequest>;

export const followRunRequest = runRequest.extend({
  /** Only events after this number: 0 for all. */
  afterSeq: z.int().min(0).default(0),
  /** Go on until the run ends, instead of ending with what is on record. */
  follow: z.boolean().default(true),
});
export type FollowRunRequest = z.input<typeof followRunRequest>;

export const searchOutputRequest = runRequest.extend({
  /** Upper and lower case are the same. */
  text: z.string().min(1).max(1000),
});
export type SearchOutputRequest = z.input<typeof searchOutputRequest>;

/** Lines of what the process of a run has printed. */
export interface FoundOutput {
  /** How many lines have the text. */
  count: number;
  /** The newest of them, in their order; numbers from 1. A long line is cut. */
  lines: { number: number; text: string }[];
}

export const stopRunRequest = runRequest.extend({
  /** Without a checkpoint. */
  now: z.boolean().default(false),
});
export type StopRunRequest = z.input<typeof stopRunRequest>;

export const resumeRunRequest = runRequest.extend({ set: overridesSchema });
export type ResumeRunRequest = z.input<typeof resumeRunRequest>;

export const acknowledgeRequest = runRequest.extend({
  /** By default all that are open. */
  alerts: z.array(alertName.strict()).readonly().optional(),
});
export type AcknowledgeRequest = z.input<typeof acknowledgeRequest>;

export const noteRunRequest = runRequest.extend({
  /** Instead of what is there; with nothing the note is taken away. */
  text: z.string().trim().max(mostNoteCharacters),
});
export type NoteRunRequest = z.input<typeof noteRunRequest>;

const tags = z.array(tagSchema).max(mostTags).readonly().default([]);
export const tagRunRequest = runRequest.extend({ add: tags, remove: tags });
export type TagRunRequest = z.input<typeof tagRunRequest>;

export const compareRunsRequest = z.strictObject({
  runs: z
    .array(runName)
    .min(2, 'a comparison takes two runs or more')
    .max(mostComparedRuns, `at most ${mostComparedRuns} runs are compared at once`)
    .readonly(),
  /** With the loss of every step. */
  steps: z.boolean().default(false),
});
export type CompareRunsRequest = z.input<typeof compareRunsRequest>;

export const removeRunsRequest = z.strictObject({
  runs: z.array(runName).min(1).readonly(),
  /** At once, instead of into the trash, from where they can be restored. */
  forGood: z.boolean().default(false),
});
export type RemoveRunsRequest = z.input<typeof removeRunsRequest>;

/**
 * The status with the state as it is now: `interrupted` where the process that should be training is gone, `queued` where an agent is
 * asked and the run waits there for its device.
 */
export const runSummarySchema = statusSchema.extend({
  state: z.enum([...runStateSchema.options, 'interrupted', 'queued']),
  /** Absolute, as all paths here. */
  path: z.string(),
  /** The process that writes the run. */
  pid: z.int().nullable(),
  /** Oldest first, the newest twenty. */
  alerts: z.array(alertSchema),
  /** What somebody has written about it. */
  note: noteSchema.nullable(),
  tags: z.array(z.string()),
});
export type RunSummary = z.infer<typeof runSummarySchema>;

/** A folder among the runs that cannot be read as one. */
export const damagedRunSchema = z.object({
  id: z.string(),
  state: z.literal('damaged'),
  path: z.string(),
  error: errorSchema,
});
export type DamagedRunSummary = z.infer<typeof damagedRunSchema>;

/** Oldest first. */
export const runListSchema = z.array(z.union([runSummarySchema, damagedRunSchema]));
export type RunList = z.infer<typeof runListSchema>;

export const runDetailsSchema = runSummarySchema.extend({
  /** Oldest first; `metric` is the validation loss, by which the best is chosen. */
  checkpoints: z.array(z.object({ step: z.int().min(0), path: z.string(), metric: z.number().optional() })),
  /** Path. */
  bestCheckpoint: z.string().nullable(),
  /** SHA-256 of what the run was made from; null before its first launch. */
  lock: z.object({ model: z.string(), data: z.string(), template: z.string(), tokenizer: z.string() }).nullable(),
  /** What of the run could not be read. */
  damaged: z.array(errorSchema),
});
export type RunDetails = z.infer<typeof runDetailsSchema>;

export const createdRunSchema = z.object({ id: z.string(), path: z.string() });
export type CreatedRun = z.infer<typeof createdRunSchema>;

/** A run that trains in the background. */
export const startedRunSchema = createdRunSchema.extend({ pid: z.int() });
export type StartedRun = z.infer<typeof startedRunSchema>;

export const sizedRunSchema = createdRunSchema.extend({ bytes: z.int().min(0) });
export type SizedRun = z.infer<typeof sizedRunSchema>;

/** A run in the trash. */
export const removedRunSchema = sizedRunSchema.extend({
  /** ISO 8601, UTC. */
  removed: z.string(),
});
export type RemovedRun = z.infer<typeof removedRunSchema>;

export const restoreRunsRequest = z.strictObject({ runs: z.array(runName).min(1).readonly() });
export type RestoreRunsRequest = z.input<typeof restoreRunsRequest>;

/** A loss; null where it was not finite, undefined where it was not recorded. */
export const maybeLoss = z.number().nullable().optional();

export const runMeasuresSchema = z.object({
  /** Optimizer steps behind the run. */
  steps: z.int().min(0),
  /** The steps with a loss on record: all, or every `logging_steps`th and the last. */
  recordedSteps: z.int().min(0),
  /** Mean of the last ten recorded steps; null without any, and where one was not finite. */
  loss: z.number().nullable(),
  validationLoss: z.number().nullable(),
  bestValidationLoss: z.number().nullable(),
  /** In the recorded steps. */
  tokensPerSecond: z.number().nullable(),
  /** In the recorded steps. */
  tokens: z.int().min(0),
  /** In all steps of a finished run, otherwise in the recorded steps. */
  milliseconds: z.number().min(0),
  /** The steps that `milliseconds` covers. */
  timedSteps: z.int().min(0),
});
export type RunMeasures = z.infer<typeof runMeasuresSchema>;

const comparedRunSchema = runMeasuresSchema.extend({
  id: z.string(),
  path: z.string(),
  state: runSummarySchema.shape.state,
  /** What its recipe says under the keys in which the recipes differ; without those that it has not. */
  settings: z.record(z.string(), z.unknown()),
});

/** Lists of losses have one of each run, in the order of the runs. */
export const runComparisonSchema = z.object({
  runs: z.array(comparedRunSchema),
  /** The last steps, at most ten, of those that all recorded, and each run's mean loss over them. */
  commonSteps: z.object({ steps: z.array(z.int()), losses: z.array(z.number().nullable()) }),
  /** Every step that any of them recorded; null where they were not asked for. */
  steps: z.array(z.object({ step: z.int(), losses: z.array(maybeLoss) })).nullable(),
  /** The keys in which the recipes differ, as `datasets.0.path`. */
  recipe: z.array(z.string()),
});
export type RunComparison = z.infer<typeof runComparisonSchema>;
