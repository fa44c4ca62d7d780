/** A run done again from what it recorded, and compared with itself: losses step by step, checkpoints byte by byte. */
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { Environment, RunEvent } from '@anneal/core/protocol/events';
import {
  type ReproduceRequest,
  type Reproduction,
  type ReproductionProgress,
  reproduceRequest,
} from '@anneal/core/protocol/reproductions';
import { changeRecipe } from '@anneal/core/recipe/change';
import { compareCheckpoints } from '@anneal/core/trainer/compareCheckpoints';
import { copyJudgements } from '@anneal/core/trainer/judgements';
import { firstSettings, type Repetition, settingsOf } from '@anneal/core/trainer/repetition';
import { RunDirectory } from '@anneal/core/trainer/runDirectory';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { removeLeftovers, temporaryBeside } from '@anneal/formats/files/processOwner';
import { startAttached } from '../../runner/startWorker.ts';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { reporting } from '../reporting.ts';
import { pathOfRun } from './find.ts';
import { type Original, type RecordedStep, readOriginal } from './original.ts';

type Report = (progress: ReproductionProgress) => void;

/**
 * Whether every checkpoint, and every loss on record, has the same bits when the run is trained again. Nothing is written to the run.
 * @throws UserError `run_inputs_changed` for what is missing, before anything begins; `step_not_known`; why the repetition failed
 */
export function reproduceRun(
  context: Context,
  request: ReproduceRequest,
): AsyncGenerator<ReproductionProgress, Reproduction> {
  return reporting(async (report, signal) => {
    const { run, until, into } = parseRequest(reproduceRequest, request);
    const path = await pathOfRun(context, run);
    const original = await readOriginal(path, (what) => {
      signal.throwIfAborted();
      report({ phase: 'checking', what });
    });
    const last = lastStep(original, until);
    const temporary = into === undefined ? temporaryFolder(path) : undefined;
    try {
      const repeated = await repeat(original, last, into ?? (temporary as string), report, signal);
      return await compare(original, repeated, { until: last, kept: temporary === undefined }, report);
    } finally {
      if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
    }
  }, context.signal);
}

/** Beside the run, where there is room for as many checkpoints again; hidden, so that it is no run of that folder. */
function temporaryFolder(path: string): string {
  const wanted = join(dirname(path), '.repetition');
  removeLeftovers(wanted);
  const folder = temporaryBeside(wanted);
  makeFolder(folder, 'name a folder that can be written with --into');
  return folder;
}

function lastStep({ checkpoints, steps, run }: Original, until: number | undefined): number {
  const newest = [...steps.keys()].at(-1) as number;
  if (until === undefined) return checkpoints.at(-1)?.step ?? newest;
  if (until <= newest) return until;
  throw new UserError({
    what: `the run has ${newest} steps, and ${until} are to be repeated`,
    where: run.path,
    next: `name a step up to ${newest} with --until, or leave it out`,
    code: 'step_not_known',
  });
}

interface Repeated {
  path: string;
  steps: Map<number, RecordedStep>;
  environment: Environment | null;
}

async function repeat(
  original: Original,
  until: number,
  root: string,
  report: Report,
  signal: AbortSignal,
): Promise<Repeated> {
  const { run, stretches, checkpoints } = original;
  const file = join(run.path, 'recipe.resolved.yaml');
  const { resolvedText } = changeRecipe(original.resolvedText, file, firstSettings(stretches), run.path);
  const directory = await RunDirectory.create({
    root,
    name: `${run.status.name} repeated`,
    recipeText: original.recipeText,
    resolvedText,
  });
  const { path } = directory;
  // Model, data, template and tokenizer must be those of the original: the launch compares every byte.
  directory.pin(original.hashes);
  await copyJudgements(run.path, path);
  await directory.close();
  const repeated: Repeated = { path, steps: new Map(), environment: null };
  const reportProgress = progressOf(original, until, report);
  const onEvent = (event: RunEvent) => {
    if (event.type === 'step') repeated.steps.set(event.step, { loss: event.loss, gradNorm: event.gradNorm });
    if (event.type === 'started') repeated.environment = event.environment ?? null;
    reportProgress(event);
  };
  for (const [i, { changes }] of stretches.entries()) {
    const end = Math.min(stretches[i + 1]?.from ?? until, until);
    if ((stretches[i]?.from ?? 0) >= until) break;
    const repetition = {
      created: run.status.created,
      saveAfter: checkpoints.map(({ step }) => step).filter((step) => step <= until),
      stopAfter: end,
    };
    const settings = i === 0 ? [] : settingsOf(changes.map(({ key, to }) => [key, to] as const));
    await launch(path, repetition, settings, onEvent, signal);
  }
  return repeated;
}

function progressOf({ steps }: Original, until: number, report: Report): (event: RunEvent) => void {
  report({ phase: 'preparing' });
  return (event) => {
    if (event.type !== 'step') return;
    const { step, loss } = event;
    report({ phase: 'training', step, until, loss, original: steps.get(step)?.loss });
  };
}

/** One process from where the repetition stands to the end of a stretch. @throws UserError with which it failed, or the reason of the abort */
async function launch(
  path: string,
  repetition: Repetition,
  changes: readonly string[],
  onEvent: (event: RunEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const worker = startAttached(path, { repetition, changes, onEvent });
  // Twice: at once, since nobody goes on with a repetition.
  const stop = () => [worker.stop(), worker.stop()];
  signal.addEventListener('abort', stop, { once: true });
  try {
    const { error } = await worker.ended;
    signal.throwIfAborted();
    if (error) throw new UserError(error);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function compare(
  { run, steps, checkpoints, environment }: Original,
  repeated: Repeated,
  { until, kept }: { until: number; kept: boolean },
  report: Report,
): Promise<Reproduction> {
  let both = 0;
  let firstDifference: Reproduction['firstDifference'] = null;
  for (const [step, { loss, gradNorm }] of repeated.steps) {
    const recorded = steps.get(step);
    if (!recorded) continue;
    both++;
    if (recorded.loss === loss && recorded.gradNorm === gradNorm) continue;
    firstDifference ??= { step, original: recorded.loss, repeated: loss };
  }
  const compared = checkpoints
    .filter(({ step }) => step <= until)
    .map(({ step, path: original }) => {
      report({ phase: 'comparing', step });
      return {
        step,
        differences: compareCheckpoints(original, join(repeated.path, 'checkpoints', basename(original))),
      };
    });
  return {
    id: run.status.id,
    until,
    agrees: !firstDifference && compared.every(({ differences }) => differences.length === 0),
    steps: both,
    firstDifference,
    checkpoints: compared,
    environments: {
      original: environment,
      repeated: repeated.environment,
    },
    kept: kept ? repeated.path : null,
  };
}
