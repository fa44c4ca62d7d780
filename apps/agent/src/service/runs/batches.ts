/** The steps of a run, opened for looking at them: which rows each one had, and what the model thought of their tokens. */
import { join } from 'node:path';
import { planSteps, type Steps } from '@anneal/core/datasets/steps';
import { MANIFEST_FILE, verifyTokenStore } from '@anneal/core/datasets/storeManifest';
import { openTokenStore, type TokenStore } from '@anneal/core/datasets/tokenStore';
import { UserError } from '@anneal/core/errors';
import { openModelTokenizer } from '@anneal/core/generate/modelText';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import { openModel } from '@anneal/core/models/open';
import {
  type BatchRowRequest,
  type BatchRowTokens,
  batchRowRequest,
  type MeasuredStep,
  type MeasuringProgress,
  type OpenBatchesRequest,
  openBatchesRequest,
  type StepBatch,
  type StepRequest,
  stepRequest,
} from '@anneal/core/protocol/batches';
import { readRecipe } from '@anneal/core/recipe/read';
import { type ResolvedRecipe, resolveRecipe } from '@anneal/core/recipe/resolve';
import type { Tokenizer } from '@anneal/core/tokenizers/tokenizer';
import { readDocumentLosses } from '@anneal/core/trainer/documentLosses';
import { readEvents } from '@anneal/core/trainer/eventReader';
import { lengthOf, stepOptions, totalStepsOf } from '@anneal/core/trainer/job';
import { assertIsRun, kindOf } from '@anneal/core/trainer/runFiles';
import type { Context } from '../context.ts';
import { StepRows } from '../data/stepRows.ts';
import { withoutCheckpoint } from '../models/source.ts';
import { parseRequest } from '../parseRequest.ts';
import { reporting } from '../reporting.ts';
import { pathOfRun } from './find.ts';
import { checkpointNear, measureStep } from './measureStep.ts';

/** Steps whose losses are remembered. */
const mostKept = 8;

/** @throws UserError `run_not_found`, `data_not_prepared`, and where the model's tokenizer is not there any more */
export function openBatches(context: Context, request: OpenBatchesRequest): AsyncGenerator<never, RunBatches> {
  return reporting(async () => {
    const path = await pathOfRun(context, parseRequest(openBatchesRequest, request).run);
    assertIsRun(path);
    const recipe = await recipeOf(path);
    const model = openModel(resolveModelPath(recipe.base_model, { revision: recipe.revision ?? undefined }));
    try {
      return await RunBatches.open(path, recipe, openModelTokenizer(model));
    } finally {
      model.close();
    }
  });
}

async function recipeOf(path: string): Promise<ResolvedRecipe> {
  const { recipe } = await readRecipe(join(path, 'recipe.resolved.yaml'));
  return resolveRecipe(recipe, { baseDirectory: path });
}

interface Measured {
  checkpoint: number;
  losses: ReadonlyMap<number, Float64Array>;
}

export class RunBatches {
  readonly #path: string;
  readonly #recipe: ResolvedRecipe;
  readonly #store: TokenStore;
  readonly #rows: StepRows;
  readonly #steps: Steps;
  /** Steps of all epochs before the first one of this run, less those that it counts from: not 0 where it goes on from another's checkpoint. */
  readonly #shift: number;
  /** By step, in the order in which they were last measured. */
  readonly #measured = new Map<number, Measured>();
  #lastStep: number;
  #turn: Promise<unknown> = Promise.resolve();

  /** @throws UserError `data_not_prepared`, `token_cache_damaged` */
  static async open(path: string, recipe: ResolvedRecipe, tokenizer: Tokenizer): Promise<RunBatches> {
    return new RunBatches(path, recipe, tokenizer, await openPrepared(path));
  }

  private constructor(path: string, recipe: ResolvedRecipe, tokenizer: Tokenizer, store: TokenStore) {
    this.#path = path;
    this.#recipe = recipe;
    this.#store = store;
    this.#rows = new StepRows(this.#store, tokenizer);
    try {
      this.#steps = planSteps(this.#store, stepOptions(recipe));
      this.#shift = recipe.resume_from_checkpoint === null ? 0 : shiftOf(path, this.#steps);
      this.#lastStep = this.#lastStepOf(recipe);
    } catch (error) {
      this.#store.close();
      throw error;
    }
  }

  /**
   * Any step of the run, also one that is still to come: which rows it has follows from the run's data and its seed.
   * @throws UserError `step_beyond_end`
   */
  async batch(request: StepRequest): Promise<StepBatch> {
    const { step } = parseRequest(stepRequest, request);
    await this.#reach(step);
    const { epoch, index, batches, tokens, targetTokens } = this.#build(step);
    const documents = batches.flatMap((batch) => batch.documents);
    const losses = readDocumentLosses(this.#path, { count: this.#store.count, epoch, documents });
    const rows = await this.#rows.list(batches);
    return {
      step,
      epoch,
      index,
      stepsPerEpoch: this.#steps.stepsPerEpoch,
      tokens,
      targetTokens,
      rows: rows.map((row, i) => {
        const loss = losses[i];
        return loss === undefined ? row : { ...row, loss };
      }),
      checkpoint: (await checkpointNear(this.#path, this.#recipe, step))?.step ?? null,
    };
  }

  /** The tokens of one row of the batch, with their losses where `measure` has found them. @throws UserError `row_not_found` */
  async row(request: BatchRowRequest): Promise<BatchRowTokens> {
    const { step, document, from } = parseRequest(batchRowRequest, request);
    await this.#reach(step);
    if (!this.#documentsOf(step).includes(document)) {
      throw new UserError({
        what: `step ${step} has no document ${document}`,
        where: this.#path,
        next: 'choose one of the rows of its batch',
        code: 'row_not_found',
      });
    }
    const measured = this.#measured.get(step);
    const part = await this.#rows.part({ document, from }, measured?.losses.get(document));
    return { ...part, checkpoint: measured?.checkpoint ?? null };
  }

  /**
   * Measures the losses of all target tokens of the step by the checkpoint nearest to it, one step at a time; what is known is not measured again.
   * @throws UserError `checkpoint_not_found`, and whatever keeps the model from being loaded
   */
  measure(request: StepRequest, signal?: AbortSignal): AsyncGenerator<MeasuringProgress, MeasuredStep> {
    return reporting(async (report, left) => {
      const { step } = parseRequest(stepRequest, request);
      await this.#reach(step);
      const work = this.#turn.then(() => this.#measure(step, report, left));
      this.#turn = work.catch(() => undefined);
      const { checkpoint, losses } = await work;
      return { step, checkpoint, means: [...losses].map(([document, of]) => ({ document, loss: meanOf(of) })) };
    }, signal);
  }

  async close(): Promise<void> {
    await this.#turn;
    this.#store.close();
  }

  async #measure(step: number, report: (progress: MeasuringProgress) => void, signal: AbortSignal): Promise<Measured> {
    signal.throwIfAborted();
    if (this.#recipe.trl) {
      throw new UserError({
        what: 'the rows of this run are prompts, whose tokens have no loss',
        where: this.#path,
        next: `look at what was answered: answers/step-N.jsonl of the run`,
        code: 'prompts_without_losses',
      });
    }
    const checkpoint = await checkpointNear(this.#path, this.#recipe, step);
    if (!checkpoint) throw withoutCheckpoint(this.#path);
    const known = this.#measured.get(step);
    const documents = this.#documentsOf(step);
    const measured =
      known?.checkpoint === checkpoint.step
        ? known
        : {
            checkpoint: checkpoint.step,
            losses: await measureStep(this.#path, this.#recipe, checkpoint, this.#store, documents, { report, signal }),
          };
    this.#measured.delete(step);
    this.#measured.set(step, measured);
    const [oldest] = this.#measured.keys();
    if (this.#measured.size > mostKept && oldest !== undefined) this.#measured.delete(oldest);
    return measured;
  }

  #lastStepOf(recipe: ResolvedRecipe): number {
    return totalStepsOf(lengthOf(recipe), this.#steps.stepsPerEpoch);
  }

  /** A run that was resumed since may have become longer. @throws UserError `step_beyond_end` */
  async #reach(step: number): Promise<void> {
    if (step <= this.#lastStep) return;
    this.#lastStep = this.#lastStepOf(await recipeOf(this.#path));
    if (step <= this.#lastStep) return;
    throw new UserError({
      what: `the run has no step ${step}: it ends with step ${this.#lastStep}`,
      where: this.#path,
      next: `choose a step from 1 to ${this.#lastStep}`,
      code: 'step_beyond_end',
    });
  }

  #build(step: number) {
    const { stepsPerEpoch } = this.#steps;
    const position = step - 1 + this.#shift;
    return this.#steps.build(Math.floor(position / stepsPerEpoch), position % stepsPerEpoch);
  }

  #documentsOf(step: number): number[] {
    return this.#build(step).batches.flatMap(({ documents }) => documents);
  }
}

/** Null without target tokens, and where it is not finite. */
function meanOf(losses: Float64Array): number | null {
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  return Number.isFinite(mean) ? mean : null;
}

/** @throws UserError `data_not_prepared`, `token_cache_damaged` */
async function openPrepared(path: string): Promise<TokenStore> {
  const folder = join(path, 'data');
  if (kindOf(join(folder, MANIFEST_FILE)) !== undefined) {
    await verifyTokenStore(folder, { unsealed: true });
    return openTokenStore(folder, 'train');
  }
  throw new UserError({
    what: 'the data of this run are not prepared, so nobody can tell which rows a step has',
    where: folder,
    next: 'wait until the run has prepared them, or let it go on with `anneal runs resume`, which prepares them again',
    code: 'data_not_prepared',
  });
}

/** The run's steps count on from those of the checkpoint; which place in the data that was, its own first step says. */
function shiftOf(path: string, { stepsPerEpoch }: Steps): number {
  for (const event of readEvents(join(path, 'events.jsonl'))) {
    if (event.type === 'step') return Math.round(event.epoch * stepsPerEpoch) - event.step;
  }
  throw new UserError({
    what: 'this run goes on from a checkpoint of another one, and where in the data that is shows with its first step',
    where: path,
    next: 'wait for it',
    code: 'step_not_known',
  });
}
