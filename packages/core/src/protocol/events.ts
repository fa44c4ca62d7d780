/**
 * What a run says about itself: every line of `events.jsonl`, every message to a client.
 * Browser-safe: nothing here may import from Node.
 */
import { z } from 'zod';
import { rolloutMeasures } from './answers.ts';

/** A count of steps, tokens, rows or bytes. */
const count = z.int().min(0);

/** A measured number; null where it was not finite, because JSON has no NaN. */
const measured = z.number().nullable();

/** Of a step, or of held-out answers, where preferences are trained: `PreferenceMeasures`. */
export const preferenceMeasures = {
  rewardChosen: measured.optional(),
  rewardRejected: measured.optional(),
  rewardMargin: measured.optional(),
  rewardAccuracy: measured.optional(),
  logpChosen: measured.optional(),
  logpRejected: measured.optional(),
  divergence: measured.optional(),
};

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** UserError.toJSON(). */
export const errorSchema = z.object({
  code: z.string(),
  what: z.string(),
  where: z.string().optional(),
  next: z.string().optional(),
});

/** What a launch computes with: the same bits are promised on the same of these only. */
export const environmentSchema = z.object({
  /** Of Anneal. */
  version: z.string(),
  /** `cpu`, or the GPU as `cuda:0`. */
  device: z.string(),
  /** Of a GPU, on the PCI bus: programs that are shown other GPUs count them otherwise. */
  busId: z.string().optional(),
  /** Model of the processor or GPU. */
  processor: z.string(),
  /** Of the processor as the kernels name it, such as avx512; the compute capability of a GPU. */
  instructionSet: z.string(),
  /** Of the CPU; null on a GPU. */
  threads: z.int().min(1).nullable(),
});
export type Environment = z.infer<typeof environmentSchema>;

export const warningSchema = z.object({
  type: z.literal('warning'),
  code: z.string(),
  message: z.string(),
  where: z.string().optional(),
  next: z.string().optional(),
});
export type Warning = z.infer<typeof warningSchema>;

/** Why a checkpoint was written: as often as the recipe says, for an evaluation that may be the best, on request, before a stop, at the end. */
export const checkpointReasons = ['cadence', 'evaluation', 'asked', 'stop', 'end'] as const;
export type CheckpointReason = (typeof checkpointReasons)[number];

/**
 * Why a run stopped: on request, with a checkpoint or at once; with its terminal, or the process that started it; by a SIGTERM that
 * somebody else sent, as a system does that shuts down.
 */
export const stopReasons = ['asked', 'at_once', 'terminal_closed', 'parent_gone', 'terminated'] as const;
export type StopReason = (typeof stopReasons)[number];

/**
 * Of the events below; stands in the first line of every log. Raise it when a reader of the version before would be misled, and
 * read the older ones on.
 */
export const eventsVersion = 1;

export const eventBodySchema = z.discriminatedUnion('type', [
  /** `version`: of these events, the first one where it is missing. `recipeSha256`: of recipe.resolved.yaml, as in `recipe_changed`. */
  z.object({
    type: z.literal('run_created'),
    version: z.int().min(1).optional(),
    id: z.string(),
    name: z.string(),
    recipeSha256: sha256.optional(),
    /** Where the recipe was, seen from the folder of the run. */
    recipe: z.string().optional(),
  }),

  /** A resume that was told to: length and cadence of a run can change, and from then on these hold. */
  z.object({
    type: z.literal('recipe_changed'),
    changes: z.array(z.object({ key: z.string(), from: z.json(), to: z.json() })),
    recipeSha256: sha256,
  }),

  /** Rows in and out of preparation; `dropped` and `truncated` count rows listed in data/dropped.jsonl. */
  z.object({
    type: z.literal('data_prepared'),
    rows: count,
    tokens: count,
    targetTokens: count,
    dropped: count,
    truncated: count,
    /** Of an epoch, after `max_samples`, `weight` and `percent`. */
    trainingRows: count.optional(),
    validationRows: count.optional(),
  }),

  /** The plan's own bytes by class (weights, adapters, optimizer, activations, workspace, total, …). */
  z.object({
    type: z.literal('planned'),
    // An absurd plan, which is refused next, has more bytes than an integer holds.
    memory: z.record(z.string(), z.number().min(0)),
    trainableParameters: count.optional(),
  }),

  /** How far an adapter is that begins as a part of the weights (PiSSA, LoftQ), which of a large model takes minutes: about each tenth. */
  z.object({ type: z.literal('initializing'), linears: count, of: count }),

  /** The first step is about to run. Once for every launch of the run. */
  z.object({ type: z.literal('started'), totalSteps: count, environment: environmentSchema.optional() }),

  /** A later launch goes on after `fromStep` (0: there was no checkpoint yet); what came after it before is superseded. */
  z.object({ type: z.literal('resumed'), fromStep: count }),

  /** One optimizer step. Steps count from 1; `tokens` and `targetTokens` are this step's, `milliseconds` its wall time, `memory` the bytes that the process had then. */
  z.object({
    type: z.literal('step'),
    step: count,
    epoch: z.number(),
    loss: measured,
    ...preferenceMeasures,
    ...rolloutMeasures,
    balanceLoss: measured.optional(),
    gradNorm: measured,
    learningRate: z.number(),
    tokens: count,
    targetTokens: count,
    tokensPerSecond: z.number(),
    milliseconds: z.number(),
    memory: count.optional(),
  }),

  /**
   * The loss of the validation rows; the perplexity where it is a mean over target tokens. Of prompts whose answers are sampled the loss is
   * the mean reward of the likeliest answers, negative, so that lower is better.
   */
  z.object({
    type: z.literal('evaluated'),
    step: count,
    loss: measured,
    perplexity: measured.optional(),
    ...preferenceMeasures,
    ...rolloutMeasures,
  }),

  /** A sample prompt answered while training; also appended to samples.jsonl. */
  z.object({ type: z.literal('sample'), step: count, prompt: z.string(), text: z.string() }),

  /** A complete checkpoint; `path` is relative to the run directory, `sha256` of its COMPLETE, which names the others. */
  z.object({
    type: z.literal('checkpoint'),
    step: count,
    path: z.string(),
    sha256: sha256.optional(),
    why: z.enum(checkpointReasons).optional(),
  }),

  warningSchema,

  /** The validation loss stopped improving; `finished` follows. */
  z.object({ type: z.literal('early_stopped'), step: count, bestStep: count, bestLoss: z.number() }),

  /** Ended on request, resumable. `step` is the last step whose result is in a checkpoint. */
  z.object({
    type: z.literal('stopped'),
    step: count,
    peakMemory: count.optional(),
    why: z.enum(stopReasons).optional(),
  }),

  z.object({ type: z.literal('failed'), error: errorSchema, peakMemory: count.optional() }),

  z.object({
    type: z.literal('finished'),
    step: count,
    loss: measured,
    evaluationLoss: measured.optional(),
    milliseconds: z.number().optional(),
    /** The most bytes that the process of this launch had in memory; also of `stopped` and `failed`. */
    peakMemory: count.optional(),
  }),
]);

export type EventBody = z.infer<typeof eventBodySchema>;
export type EventType = EventBody['type'];

/** `seq` counts from 1 within a run, without gap or duplicate, over all its launches. `time` is ISO 8601, UTC. */
const numbered = { seq: z.int().min(1), time: z.iso.datetime() };
export type RunEvent = EventBody & z.infer<z.ZodObject<typeof numbered>>;

/** One union, not an intersection with one, which would look at each line twice: 6 instead of 14 µs for a step (EPYC, Zen 5). */
export const runEventSchema: z.ZodType<RunEvent> = z.discriminatedUnion(
  'type',
  eventBodySchema.options.map((body) => body.extend(numbered)) as unknown as [z.ZodObject<{ type: z.ZodLiteral }>],
) as unknown as z.ZodType<RunEvent>;

export type EventOf<Type extends EventType> = Extract<EventBody, { type: Type }> & { seq: number; time: string };

/** One key of a recipe. */
export type RecipeChange = EventOf<'recipe_changed'>['changes'][number];

/** After one of these a launch writes nothing more. */
const terminalTypes: ReadonlySet<EventType> = new Set(['stopped', 'failed', 'finished']);

export function isTerminal(event: { type: EventType }): boolean {
  return terminalTypes.has(event.type);
}

/**
 * The events that still count. A launch that died after its last checkpoint is repeated by the next one, so everything
 * that named a step after `resumed.fromStep` is dropped, and each step is left exactly once.
 */
export function withoutSuperseded(events: readonly RunEvent[]): RunEvent[] {
  let kept: RunEvent[] = [];
  for (const event of events) {
    if (event.type === 'resumed') {
      const { fromStep } = event;
      kept = kept.filter((earlier) => !('step' in earlier) || earlier.step <= fromStep);
    }
    kept.push(event);
  }
  return kept;
}
