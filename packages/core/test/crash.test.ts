import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type RunEvent, withoutSuperseded } from '../src/protocol/events.ts';
import { random } from '../src/random.ts';
import type { Recipe } from '../src/recipe/schema.ts';
import { RunDirectory } from '../src/trainer/runDirectory.ts';
import { readRun } from '../src/trainer/runReader.ts';
import { temporaryFolder } from './fixtures.ts';
import { createRun, eventsOf, lossesOf, tinyRecipe, trainInChild, weightsHash } from './runs.ts';

const seed = Number(process.env.ANNEAL_CRASH_SEED ?? 20_260_131);
const steps = 60;

interface Kind {
  readonly name: string;
  readonly kills: number;
  readonly weights: string;
  readonly changes: Partial<Recipe>;
}

const kinds: Kind[] = [
  {
    name: 'LoRA with dropout, packing and a validation set',
    kills: 20,
    weights: 'adapter_model.safetensors',
    changes: { lora_dropout: 0.1, sample_packing: true, val_set_size: 4, eval_steps: 5, load_best_model_at_end: true },
  },
  {
    name: 'full fine-tuning',
    kills: 6,
    weights: 'model.safetensors',
    changes: { adapter: null, lora_r: undefined, lora_alpha: undefined, learning_rate: 0.002 },
  },
  {
    name: 'an adapter with moments in 8 bits',
    kills: 4,
    weights: 'adapter_model.safetensors',
    changes: { lora_r: 128, optimizer: 'adamw_8bit' },
  },
  {
    name: 'averages in the place of the weights',
    kills: 3,
    weights: 'adapter_model.safetensors',
    changes: { optimizer: 'schedule_free_adamw', val_set_size: 4, eval_steps: 5 },
  },
];

test.each(kinds)('SIGKILL at $kills random moments changes nothing: $name', { timeout: 600_000 }, async (kind) => {
  const recipe = recipeOf(kind);
  const undisturbed = (await createClosed(recipe)).path;
  const spawned = Date.now();
  await trainToEnd(undisturbed);
  const openingTime = Date.parse(eventsIn(undisturbed).find(({ type }) => type === 'started')?.time ?? '') - spawned;
  const expected = outcomeOf(undisturbed, kind);

  const { uint32 } = random('crash', seed);
  const uniform = () => uint32() / 2 ** 32;
  const moments: string[] = [];
  let { path } = await createClosed(recipe);
  let resumedFromCheckpoint = 0;
  while (moments.length < kind.kills) {
    const child = trainInChild(path);
    const over = new AbortController();
    const ended = child.ended.finally(() => over.abort());
    // A quarter of them while it opens everything, the others while it trains, evaluates and saves.
    if (uniform() < 0.25) {
      await Promise.race([wait(uniform() * openingTime), ended]);
    } else {
      const last = eventsIn(path).length + uniform() * 25;
      while (!over.signal.aborted && eventsIn(path).length < last) await wait(2);
      await Promise.race([wait(uniform() * 20), ended]);
    }
    child.kill('SIGKILL');
    const { end, errors } = await ended;
    const events = eventsIn(path);
    expectNumbered(events);
    if (end === 'SIGKILL') moments.push(`${events.length} events`);
    else expect(end, errors).toBe(0);
    if (readRun(path).state !== 'finished') continue;
    resumedFromCheckpoint += resumptions(path);
    expect(outcomeOf(path, kind)).toEqual(expected);
    rmSync(join(path, 'checkpoints'), { recursive: true });
    ({ path } = await createClosed(recipe));
  }
  await trainToEnd(path);
  resumedFromCheckpoint += resumptions(path);
  console.log(`seed ${seed}, ${openingTime} ms to the first step, killed after ${moments.join(', ')}`);
  expect(outcomeOf(path, kind)).toEqual(expected);
  expect(resumedFromCheckpoint).toBeGreaterThan(kind.kills / 4);
});

function recipeOf({ changes }: Kind): Recipe {
  const folder = temporaryFolder();
  return tinyRecipe(folder, {
    max_steps: steps,
    save_steps: 4,
    save_total_limit: 2,
    sample_prompts: ['ant fox'],
    sample_max_tokens: 8,
    ...changes,
  });
}

async function createClosed(recipe: Recipe): Promise<RunDirectory> {
  const run = await createRun(recipe);
  await run.close();
  return run;
}

async function trainToEnd(path: string): Promise<void> {
  const { end, errors } = await trainInChild(path).ended;
  expect(end, errors).toBe(0);
}

function resumptions(path: string): number {
  return eventsOf({ events: eventsIn(path) }, 'resumed').filter(({ fromStep }) => fromStep > 0).length;
}

/** What must not depend on how often a run was killed. Nothing may be left over. */
function outcomeOf(path: string, { weights }: Kind) {
  const events = eventsIn(path);
  expect(readRun(path).state).toBe('finished');
  expectNumbered(events);
  for (const name of readdirSync(join(path, 'checkpoints'))) expect(name).toMatch(/^checkpoint-\d+$/);
  const counted = { events: withoutSuperseded(events) };
  expect(eventsOf(counted, 'step').map(({ step }) => step)).toEqual(Array.from({ length: steps }, (_, i) => i + 1));
  return {
    weights: weightsHash({ path }, steps, weights),
    optimizer: weightsHash({ path }, steps, 'optimizer.safetensors'),
    losses: lossesOf(counted),
    evaluations: eventsOf(counted, 'evaluated').map(({ step, loss }) => ({ step, loss })),
    samples: eventsOf(counted, 'sample').map(({ step, text }) => ({ step, text })),
  };
}

/** The whole lines of the log; a kill may have left half of one more. */
function eventsIn(path: string): RunEvent[] {
  const lines = readFileSync(join(path, 'events.jsonl'), 'utf8').split('\n');
  return lines.slice(0, -1).map((line) => JSON.parse(line) as RunEvent);
}

function expectNumbered(events: readonly RunEvent[]): void {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
}
