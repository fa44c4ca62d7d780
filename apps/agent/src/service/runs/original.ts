/** What a run recorded of itself, looked at before it is repeated. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MANIFEST_FILE, readManifest } from '@anneal/core/datasets/storeManifest';
import { isNotFinite } from '@anneal/core/diagnosis/curves';
import { UserError } from '@anneal/core/errors';
import { sha256OfFile } from '@anneal/core/fileHash';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import { modelHash } from '@anneal/core/models/hash';
import { openModel } from '@anneal/core/models/open';
import { preparedSummarySchema } from '@anneal/core/protocol/data';
import type { Environment, EventOf, RunEvent } from '@anneal/core/protocol/events';
import { parseRecipe } from '@anneal/core/recipe/read';
import { verifyCheckpoint } from '@anneal/core/trainer/checkpointSeal';
import { type Checkpoint, surveyCheckpoints } from '@anneal/core/trainer/checkpointStore';
import { readEvents } from '@anneal/core/trainer/eventReader';
import { type Stretch, stretchesOf } from '@anneal/core/trainer/repetition';
import { readRunFile } from '@anneal/core/trainer/runFiles';
import { type RunHashes, readPinned } from '@anneal/core/trainer/runHashes';
import { type RunView, readRun } from '@anneal/core/trainer/runReader';

/** What is compared of a step. */
export type RecordedStep = Pick<EventOf<'step'>, 'loss' | 'gradNorm'>;

export interface Original {
  readonly run: RunView;
  readonly recipeText: string;
  /** recipe.resolved.yaml as it is now. */
  readonly resolvedText: string;
  readonly stretches: readonly Stretch[];
  readonly hashes: RunHashes;
  /** Oldest first. */
  readonly checkpoints: readonly Checkpoint[];
  /** By number, ascending. */
  readonly steps: ReadonlyMap<number, RecordedStep>;
  /** Of the newest launch; null where it was one of a version that did not record it. */
  readonly environment: Environment | null;
}

/**
 * Hashes what the run was made from, and its checkpoints, so that everything that is missing is said at once.
 * @throws UserError `run_in_use`, `run_not_started`, `run_inputs_changed`
 */
export async function readOriginal(path: string, report: (what: string) => void): Promise<Original> {
  const record: EventRecord = { steps: new Map(), seals: new Map(), environment: null };
  const run = readRun(path, (event) => addTo(record, event));
  if (run.owner) throw stillRunning(run);
  const hashes = readPinned(path);
  const { steps, seals, environment } = record;
  if (!hashes || steps.size === 0) throw nothingTrained(path);
  const resolvedText = readRunFile(join(path, 'recipe.resolved.yaml'));
  const survey = await surveyCheckpoints(join(path, 'checkpoints'));
  const problems = [
    ...(await modelProblems(resolvedText, path, hashes, report)),
    ...(await dataProblems(path, report)),
    ...(await checkpointProblems(survey, seals, report)),
  ];
  if (problems.length > 0) throw changed(path, problems);
  return {
    run,
    recipeText: readRunFile(join(path, 'recipe.yaml')),
    resolvedText,
    stretches: stretchesOf(readEvents(join(path, 'events.jsonl'))),
    hashes,
    checkpoints: survey.filter((found) => !('error' in found)),
    steps,
    environment,
  };
}

/** Of events that still count. */
interface EventRecord {
  steps: Map<number, RecordedStep>;
  /** SHA-256 of the seal of each checkpoint, where it is on record. */
  seals: Map<number, string | undefined>;
  environment: Environment | null;
}

function addTo(record: EventRecord, event: RunEvent): void {
  const { steps, seals } = record;
  if (event.type === 'resumed') {
    for (const byStep of [steps, seals]) {
      for (const step of byStep.keys()) if (step > event.fromStep) byStep.delete(step);
    }
  } else if (event.type === 'checkpoint') seals.set(event.step, event.sha256);
  else if (event.type === 'started') record.environment = event.environment ?? null;
  // One that was not finite ended the run, and would end the repetition.
  else if (event.type === 'step' && !isNotFinite(event)) {
    const { loss, gradNorm } = event;
    steps.set(event.step, { loss, gradNorm });
  }
}

async function modelProblems(
  resolvedText: string,
  path: string,
  hashes: RunHashes,
  report: (what: string) => void,
): Promise<string[]> {
  const { recipe } = parseRecipe(resolvedText, join(path, 'recipe.resolved.yaml'));
  return problemsOf(async () => {
    report(recipe.base_model);
    const model = openModel(resolveModelPath(recipe.base_model, { revision: recipe.revision ?? undefined }));
    try {
      const { sha256 } = await modelHash(model.files);
      if (sha256 !== hashes.model) return [`the model has other bytes than this run was trained from: ${model.path}`];
    } finally {
      model.close();
    }
    return [];
  });
}

/** By the list of files beside the tokens, which names each; without it the launch compares them all together. */
async function dataProblems(path: string, report: (what: string) => void): Promise<string[]> {
  const folder = join(path, 'data');
  if (!existsSync(join(folder, MANIFEST_FILE))) return [];
  return problemsOf(async () => {
    const problems: string[] = [];
    for (const file of preparedSummarySchema.parse(readManifest(folder).summary).files) {
      report(file.path);
      if (!existsSync(file.path)) problems.push(`a data file is gone: ${file.path}`);
      else if ((await sha256OfFile(file.path)) !== file.sha256) {
        problems.push(`a data file has other bytes than this run was trained on: ${file.path}`);
      }
    }
    return problems;
  });
}

async function checkpointProblems(
  survey: Awaited<ReturnType<typeof surveyCheckpoints>>,
  seals: EventRecord['seals'],
  report: (what: string) => void,
): Promise<string[]> {
  const problems: string[] = [];
  for (const found of survey) {
    const check = async () => {
      if ('error' in found) throw found.error;
      report(found.path);
      await verifyCheckpoint(found.path, seals.get(found.step));
      return [];
    };
    problems.push(...(await problemsOf(check)));
  }
  return problems;
}

async function problemsOf(look: () => Promise<string[]>): Promise<string[]> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { what, where } = error.toJSON();
    return [where ? `${what}: ${where}` : what];
  }
}

function changed(path: string, problems: readonly string[]): UserError {
  return new UserError({
    what: ['this run cannot be repeated as it was:', ...problems.map((problem) => `  - ${problem}`)].join('\n'),
    where: path,
    next: 'put back what it was made from; a model that was pulled can be pulled again',
    code: 'run_inputs_changed',
  });
}

function nothingTrained(path: string): UserError {
  return new UserError({
    what: 'this run has no step on record, so there is nothing to compare with',
    where: path,
    next: 'train it first: `anneal runs resume`',
    code: 'run_not_started',
  });
}

function stillRunning({ path, owner }: RunView): UserError {
  return new UserError({
    what: `this run is running, as process ${owner?.pid} on ${owner?.host}`,
    where: path,
    next: 'wait for its end, or stop it with `anneal runs stop`',
    code: 'run_in_use',
  });
}
