/** The batches that a run of a recipe would begin with, opened for looking at them before it is started. */
import { countLabels } from '@anneal/core/datasets/batch';
import { cacheWarning } from '@anneal/core/datasets/cacheWarning';
import { planSteps, type Steps } from '@anneal/core/datasets/steps';
import type { Batch } from '@anneal/core/datasets/types';
import { chooseDevice } from '@anneal/core/device';
import { UserError } from '@anneal/core/errors';
import { openModelText } from '@anneal/core/generate/modelText';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import { openModel } from '@anneal/core/models/open';
import {
  type BatchRowTokens,
  type FirstBatches,
  type FirstBatchesRequest,
  type FirstBatchRowRequest,
  firstBatchesRequest,
  firstBatchRowRequest,
  type RecipeBatch,
} from '@anneal/core/protocol/batches';
import type { PreparationProgress } from '@anneal/core/protocol/estimates';
import { type RecipeRequest, recipeRequest } from '@anneal/core/protocol/recipes';
import type { ResolvedRecipe } from '@anneal/core/recipe/resolve';
import type { Tokenizer } from '@anneal/core/tokenizers/tokenizer';
import { fillBucket } from '@anneal/core/trainer/bucket';
import { type CheckpointState, openCheckpoint } from '@anneal/core/trainer/checkpoint';
import { dataOptions } from '@anneal/core/trainer/dataOptions';
import { lengthOf, stepOptions, totalStepsOf } from '@anneal/core/trainer/job';
import { assertFits } from '@anneal/core/trainer/resumption';
import { dateOfRunNow } from '@anneal/core/trainer/runDate';
import type { Context } from '../context.ts';
import { type OpenedPrepared, openPreparedData } from '../data/prepared.ts';
import { StepRows } from '../data/stepRows.ts';
import { parseRequest } from '../parseRequest.ts';
import { reporting } from '../reporting.ts';
import { openRecipe } from './open.ts';

/** Prepares the data, as training would. @throws UserError, InvalidRecipe whatever would keep training from its first batch */
export function openFirstBatches(
  { signal: outer }: Context,
  request: RecipeRequest,
): AsyncGenerator<PreparationProgress, OpenedFirstBatches> {
  return reporting(async (report, signal) => {
    const { recipe: path, set } = parseRequest(recipeRequest, request);
    const { resolved: recipe } = await openRecipe(path, set);
    if (recipe.trl) throw notThereYet(path);
    const data = dataOptions(recipe);
    const model = openModel(resolveModelPath(recipe.base_model, { revision: recipe.revision ?? undefined }));
    try {
      const text = openModelText(model, { ...data.text, now: dateOfRunNow() });
      const { resume_from_checkpoint: checkpoint } = recipe;
      const begins = checkpoint === null ? null : await openCheckpoint(checkpoint);
      const prepared = await openPreparedData(data, { text, report, signal });
      try {
        return new OpenedFirstBatches(recipe, prepared, text.tokenizer, begins);
      } catch (error) {
        await prepared.close();
        throw error;
      }
    } finally {
      model.close();
    }
  }, outer);
}

export class OpenedFirstBatches {
  readonly #recipe: ResolvedRecipe;
  readonly #prepared: OpenedPrepared;
  readonly #rows: StepRows;
  readonly #steps: Steps;
  readonly #totalSteps: number;
  /** Steps behind the run, and behind it in all epochs: not 0 where it goes on from another's checkpoint. */
  readonly #step: number;
  readonly #position: number;

  constructor(
    recipe: ResolvedRecipe,
    prepared: OpenedPrepared,
    tokenizer: Tokenizer,
    begins: Pick<CheckpointState, 'state' | 'data'> | null,
  ) {
    this.#recipe = recipe;
    this.#prepared = prepared;
    this.#rows = new StepRows(prepared.train, tokenizer);
    this.#steps = planSteps(prepared.train, stepOptions(recipe));
    const { stepsPerEpoch } = this.#steps;
    this.#totalSteps = totalStepsOf(lengthOf(recipe), stepsPerEpoch);
    if (begins)
      assertFits(recipe.resume_from_checkpoint ?? '', begins, { stepsPerEpoch, totalSteps: this.#totalSteps });
    this.#step = begins?.state.step ?? 0;
    this.#position = begins ? begins.data.epoch * stepsPerEpoch + begins.data.index : 0;
  }

  /** As many as there are, at most `count`. */
  async list(request: FirstBatchesRequest): Promise<FirstBatches> {
    const { count } = parseRequest(firstBatchesRequest, request);
    const { stepsPerEpoch, maxTokens } = this.#steps;
    const { cacheError } = this.#prepared;
    const batches: RecipeBatch[] = [];
    for (let step = this.#step + 1; step <= this.#totalSteps && batches.length < count; step++) {
      batches.push(...(await this.#batchesOf(step)).slice(0, count - batches.length));
    }
    return {
      batches,
      stepsPerEpoch,
      totalSteps: this.#totalSteps,
      maxTokens,
      isPacked: this.#recipe.sample_packing,
      hasDivergence: stepOptions(this.#recipe).divergence ?? false,
      warnings: cacheError ? [cacheWarning('prepared data', cacheError)] : [],
    };
  }

  /** A document of the data token by token. @throws UserError `row_not_found` */
  async row(request: FirstBatchRowRequest): Promise<BatchRowTokens> {
    const { document, from } = parseRequest(firstBatchRowRequest, request);
    const { count } = this.#prepared.train;
    if (document < count) return { ...(await this.#rows.part({ document, from })), checkpoint: null };
    throw new UserError({
      what: `there is no document ${document}: the prepared data have ${count}`,
      where: this.#recipe.datasets[0]?.path ?? 'the data',
      next: 'choose one of the rows of a batch',
      code: 'row_not_found',
    });
  }

  close(): Promise<void> {
    return this.#prepared.close();
  }

  async #batchesOf(step: number): Promise<RecipeBatch[]> {
    const { stepsPerEpoch } = this.#steps;
    const position = this.#position + step - 1 - this.#step;
    const { batches } = this.#steps.build(Math.floor(position / stepsPerEpoch), position % stepsPerEpoch);
    const rows = await this.#rows.list(batches);
    return batches.map((batch, index) => ({
      step,
      number: index + 1,
      of: batches.length,
      tokens: batch.tokens.length,
      targetTokens: countLabels(batch),
      padding: this.#filled(batch) - batch.tokens.length,
      rows: rows.filter((row) => row.batch === index),
    }));
  }

  /** Tokens that the device computes with. */
  #filled(batch: Batch): number {
    // As the plan has it, which measures the validation rows as well.
    let most = this.#steps.maxTokens;
    for (const length of this.#prepared.validation?.lengths ?? []) most = Math.max(most, length);
    const { bucketTokens } = chooseDevice(this.#recipe.device);
    return fillBucket(batch, bucketTokens, { T: most, S: most + 1 }).tokens.length;
  }
}

function notThereYet(recipe: string): UserError {
  return new UserError({
    what: 'this recipe trains on answers that the model has yet to give, so its batches are not there before a run',
    where: recipe,
    next: 'look at its prompts, as `anneal inspect` and the data screen show them',
    code: 'batches_not_there_yet',
  });
}
