/** What a person means by a model: a run with what it trained, an adapter, or a model as it is. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { type ModelTextOptions, withChosenTemplate, withTemplateDefaults } from '@anneal/core/generate/modelText';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import { baseOfAdapter } from '@anneal/core/models/adapters/baseOfAdapter';
import { type OpenModel, openModel } from '@anneal/core/models/open';
import { withScoreHead } from '@anneal/core/models/scoreHead';
import type { SourceRequest } from '@anneal/core/protocol/models';
import { readRecipe } from '@anneal/core/recipe/read';
import { type ResolvedRecipe, resolveRecipe } from '@anneal/core/recipe/resolve';
import { readChatTemplates } from '@anneal/core/templates/chatTemplates';
import { bestOf, type Checkpoint, listCheckpoints } from '@anneal/core/trainer/checkpointStore';
import { textOptions } from '@anneal/core/trainer/dataOptions';
import { checkModel } from '@anneal/core/trainer/inputs';
import { runDate } from '@anneal/core/trainer/runDate';
import { assertIsRun } from '@anneal/core/trainer/runFiles';
import { findRun, listRuns, readRun } from '@anneal/core/trainer/runReader';
import { readPeftAdapter } from '@anneal/formats/peft/read';
import { runReference } from '../../runner/runReference.ts';
import { type Context, runsFolderOf } from '../context.ts';

/** `sha256`: of its COMPLETE, as the events have it. */
export type RecordedCheckpoint = Checkpoint & { sha256: string | undefined };

export interface ModelSource {
  /** For titles and file names. */
  name: string;
  /** Folder or GGUF file of the model. */
  modelPath: string;
  /** PEFT folder to be put on top. */
  adapterFolder: string | null;
  /** The base as the recipe or the adapter names it. */
  baseModel: string;
  revision: string | undefined;
  /** Its chat template and what that is given; of a run as it was trained. */
  text: ModelTextOptions;
  /** Where the source is a run. */
  run: { path: string; checkpoint: RecordedCheckpoint; recipe: ResolvedRecipe } | null;
}

/**
 * Resolves a run (path, id, `latest`), an adapter folder, or anything `base_model` may be.
 * Throws UserErrors that say what is missing.
 */
export async function resolveSource(context: Context, { source, checkpoint }: SourceRequest): Promise<ModelSource> {
  const runPath = await runNamed(source, runsFolderOf(context));
  if (runPath) return sourceOfRun(runPath, checkpoint);
  refuseCheckpoint({ source, checkpoint });
  if (existsSync(join(source, 'adapter_config.json'))) return sourceOfAdapter(source);
  return {
    name: nameOf(source),
    modelPath: resolveModelPath(source),
    adapterFolder: null,
    baseModel: source,
    revision: undefined,
    text: {},
    run: null,
  };
}

/** Of what is no run. */
export function refuseCheckpoint({ source, checkpoint }: SourceRequest): void {
  if (checkpoint === undefined) return;
  throw new UserError({
    what: 'only a run has checkpoints to choose from, and this is none',
    where: source,
    next: 'leave the checkpoint out, or name a run',
    code: 'not_a_run',
  });
}

/** Opens the model to hand it on, with the chat template it was trained with and the variables of that. */
export function openSourceModel({ modelPath, adapterFolder, text }: ModelSource): OpenModel {
  const model = openModel(modelPath);
  const scored = adapterFolder !== null && givesScores(adapterFolder) ? withScoreHead(model) : model;
  return withTemplateDefaults(withChosenTemplate(scored, text), text);
}

/**
 * Of a run that trained an adapter: its base still has to be the one that it was trained on.
 * @throws UserError `run_inputs_changed`
 */
export async function checkBase({ run, adapterFolder, modelPath }: ModelSource): Promise<void> {
  if (!run || adapterFolder === null) return;
  const model = openModel(modelPath);
  try {
    await checkModel(run.path, model);
  } finally {
    model.close();
  }
}

/** The adapter brings the head of a reward model, which its base does not have. */
function givesScores(adapterFolder: string): boolean {
  const { config, tensors } = readPeftAdapter(adapterFolder);
  tensors.close();
  return config.taskType === 'SEQ_CLS';
}

/** A name that is both a run and a model means the run: its path says otherwise. */
async function runNamed(source: string, runsFolder: string): Promise<string | undefined> {
  if (source === 'latest' || existsSync(join(source, 'events.jsonl'))) return findRun(runsFolder, source);
  if (existsSync(source)) return undefined;
  const ids = (await listRuns(resolve(runsFolder))).map(nameOf);
  return ids.some((id) => id.startsWith(source) || id.endsWith(source)) ? findRun(runsFolder, source) : undefined;
}

async function sourceOfRun(path: string, wanted: string | undefined): Promise<ModelSource> {
  assertIsRun(path);
  const { recipe: written } = await readRecipe(join(path, 'recipe.resolved.yaml'));
  const recipe = resolveRecipe(written, { baseDirectory: path });
  const checkpoint = await chooseCheckpoint(path, wanted ?? (recipe.load_best_model_at_end ? 'best' : 'latest'));
  let sha256: string | undefined;
  const { status } = readRun(path, (event) => {
    if (event.type === 'checkpoint' && event.step === checkpoint.step) sha256 = event.sha256;
  });
  const trainsAdapter = existsSync(join(checkpoint.path, 'adapter_config.json'));
  return {
    name: status.name,
    modelPath: trainsAdapter
      ? resolveModelPath(recipe.base_model, { revision: recipe.revision ?? undefined })
      : checkpoint.path,
    adapterFolder: trainsAdapter ? checkpoint.path : null,
    baseModel: recipe.base_model,
    revision: recipe.revision ?? undefined,
    text: { ...textOptions(recipe), now: runDate(status.created) },
    run: { path, checkpoint: { ...checkpoint, sha256 }, recipe },
  };
}

async function chooseCheckpoint(path: string, wanted: string): Promise<Checkpoint> {
  const checkpoints = await listCheckpoints(join(path, 'checkpoints'));
  const chosen =
    wanted === 'latest'
      ? checkpoints.at(-1)
      : wanted === 'best'
        ? (bestOf(checkpoints) ?? checkpoints.at(-1))
        : checkpoints.find(({ step }) => String(step) === wanted);
  if (chosen) return chosen;
  if (checkpoints.length === 0) throw withoutCheckpoint(path);
  throw new UserError({
    what: `this run has no checkpoint ${wanted}`,
    where: path,
    next: `choose best, latest, ${checkpoints.map(({ step }) => step).join(', ')}`,
    code: 'checkpoint_not_found',
  });
}

/** Of a run that has none. */
export function withoutCheckpoint(path: string): UserError {
  const { owner, state } = readRun(path);
  return owner
    ? new UserError({
        what: 'this run has no checkpoint yet',
        where: path,
        next: 'wait for the first one, or ask for one: `anneal runs save`',
        code: 'no_checkpoint_yet',
      })
    : new UserError({
        what: `this run has no checkpoint, and is not running: it is ${state}`,
        where: path,
        next: `train on until it saves one: \`anneal runs resume ${runReference(path)}\``,
        code: 'no_checkpoint',
      });
}

function sourceOfAdapter(folder: string): ModelSource {
  const { baseModel, revision } = baseOfAdapter(folder);
  return {
    name: nameOf(folder),
    modelPath: resolveModelPath(baseModel, { revision }),
    adapterFolder: folder,
    baseModel,
    revision,
    text: { chatTemplates: readChatTemplates(folder) },
    run: null,
  };
}

function nameOf(path: string): string {
  return path
    .replace(/[/\\]+$/, '')
    .replace(/^.*[/\\]/, '')
    .replace(/\.gguf$/i, '');
}
