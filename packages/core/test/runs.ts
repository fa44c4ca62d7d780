/** Runs of the trainer for tests: in this process, or in a child that can be killed. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunEvent } from '../src/protocol/events.ts';
import { changeRecipe } from '../src/recipe/change.ts';
import { resolveRecipe } from '../src/recipe/resolve.ts';
import type { Recipe } from '../src/recipe/schema.ts';
import { createJob, type Job } from '../src/trainer/job.ts';
import { RunDirectory } from '../src/trainer/runDirectory.ts';
import type { TrainSignal } from '../src/trainer/stopping.ts';
import { train } from '../src/trainer/train.ts';
import { temporaryFolder, writeCapitalsTask, writeTinyModel } from './fixtures.ts';

/** LoRA on every linear of a tiny model, four rows a step; what differs is said by each test. */
export function tinyRecipe(folder: string, changes: Partial<Recipe> = {}): Recipe {
  return {
    base_model: changes.base_model ?? writeTinyModel(folder),
    datasets: [{ path: writeCapitalsTask(folder) }],
    sequence_len: 64,
    micro_batch_size: 2,
    gradient_accumulation_steps: 2,
    lora_r: 4,
    lora_alpha: 8,
    learning_rate: 0.01,
    warmup_steps: 0,
    max_steps: 12,
    bf16: false,
    threads: 2,
    output_dir: join(folder, 'runs'),
    ...changes,
  };
}

/** Four short answers to each of these prompts, for four steps with a checkpoint each. */
export function tinyGrpoRecipe(
  rows: readonly object[],
  trl: NonNullable<Recipe['trl']>,
  changes: Partial<Recipe> = {},
): Recipe {
  const folder = temporaryFolder();
  const path = join(folder, 'prompts.jsonl');
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return tinyRecipe(folder, {
    rl: 'grpo',
    trl: { num_generations: 4, max_completion_length: 6, ...trl },
    datasets: [{ path }],
    micro_batch_size: 4,
    gradient_accumulation_steps: 2,
    max_steps: 4,
    save_steps: 1,
    ...changes,
  });
}

export async function createRun(recipe: Recipe): Promise<RunDirectory> {
  const resolved = resolveRecipe(recipe, { baseDirectory: '/' });
  return RunDirectory.create({
    root: resolved.output_dir,
    name: 'test',
    recipeText: JSON.stringify(recipe),
    resolvedText: JSON.stringify(resolved),
  });
}

/** Trains to the end in this process; `changes` to the job are what no recipe can say. */
export async function trainHere(
  recipe: Recipe,
  { signal = { stopRequested: false, saveRequested: false }, changes = {} }: TrainHereOptions = {},
): Promise<FinishedRun> {
  await using run = await createRun(recipe);
  return await continueHere(run, { signal, changes });
}

export interface TrainHereOptions {
  readonly signal?: TrainSignal;
  readonly changes?: Partial<Job>;
}

/** Goes on with an opened run. */
export async function continueHere(
  run: RunDirectory,
  { signal = { stopRequested: false, saveRequested: false }, changes = {} }: TrainHereOptions = {},
): Promise<FinishedRun> {
  const resolved = JSON.parse(run.readResolvedRecipe()) as Recipe;
  const job = createJob(resolveRecipe(resolved, { baseDirectory: run.path }));
  await train({ ...job, ...changes }, run, signal);
  const checkpoints = await run.checkpoints();
  return { path: run.path, events: run.events, steps: checkpoints.map(({ step }) => step) };
}

/** Goes on with a run whose recipe changes: `key=value`. */
export async function continueChanged(run: RunDirectory, ...overrides: string[]): Promise<FinishedRun> {
  const change = changeRecipe(run.readResolvedRecipe(), 'recipe.resolved.yaml', overrides, run.path);
  await train(createJob(change.resolved), run, { stopRequested: false, saveRequested: false }, { change });
  const checkpoints = await run.checkpoints();
  return { path: run.path, events: run.events, steps: checkpoints.map(({ step }) => step) };
}

export interface FinishedRun {
  readonly path: string;
  readonly events: readonly RunEvent[];
  /** Of the checkpoints it left. */
  readonly steps: readonly number[];
}

/** Loss of every recorded step, in order. */
export function lossesOf({ events }: Pick<FinishedRun, 'events'>): (number | null)[] {
  return events.flatMap((event) => (event.type === 'step' ? [event.loss] : []));
}

export function eventsOf<Type extends RunEvent['type']>({ events }: Pick<FinishedRun, 'events'>, type: Type) {
  return events.filter((event): event is Extract<RunEvent, { type: Type }> => event.type === type);
}

export function checkpointPath({ path }: Pick<FinishedRun, 'path'>, step: number): string {
  return join(path, 'checkpoints', `checkpoint-${step}`);
}

/** SHA-256 of the trained weights: equal means equal bit for bit. */
export function weightsHash(run: Pick<FinishedRun, 'path'>, step: number, file = 'adapter_model.safetensors'): string {
  return createHash('sha256')
    .update(readFileSync(join(checkpointPath(run, step), file)))
    .digest('hex');
}

const child = fileURLToPath(new URL('child/train.ts', import.meta.url));

/** Trains the run in a process of its own. `ended` gives its exit code or the signal that killed it. */
export function trainInChild(path: string) {
  const env = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'anneal-test-compile-cache') };
  const trainer = spawn(process.execPath, [child, path], { stdio: ['ignore', 'ignore', 'pipe'], env });
  let errors = '';
  trainer.stderr.on('data', (text) => {
    errors += text;
  });
  const ended = new Promise<{ end: number | NodeJS.Signals | null; errors: string }>((resolve) => {
    trainer.once('close', (code, signal) => resolve({ end: signal ?? code, errors }));
  });
  return { pid: trainer.pid as number, kill: (signal: NodeJS.Signals) => trainer.kill(signal), ended };
}
