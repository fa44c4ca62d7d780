import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { resolveRecipe } from '../src/recipe/resolve.ts';
import type { Recipe } from '../src/recipe/schema.ts';
import { createJob } from '../src/trainer/job.ts';
import { RunDirectory } from '../src/trainer/runDirectory.ts';
import { readRun } from '../src/trainer/runReader.ts';
import { openSession } from '../src/trainer/session.ts';
import { temporaryFolder } from './fixtures.ts';
import { createRun, eventsOf, lossesOf, tinyRecipe, trainHere, trainInChild, weightsHash } from './runs.ts';

const words = ['ant', 'bee', 'cat', 'dog', 'eel', 'fox', 'gnu', 'hen', 'ibis', 'jay', 'kite', 'lynx'];

/** Capitals are preferred; with labels every other row has the answer that is not. */
function writePreferences(folder: string, labeled: boolean): string {
  const path = join(folder, labeled ? 'labeled.jsonl' : 'pairs.jsonl');
  const rows = words.flatMap((word, i): Record<string, unknown>[] => {
    const [good, bad] = [word.toUpperCase(), `${word} ${words[(i + 5) % words.length]}`];
    if (!labeled) return [{ prompt: word, chosen: good, rejected: bad }];
    return [good, bad].map((completion) => ({ prompt: word, completion, label: completion === good }));
  });
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return path;
}

function recipeFor(rl: NonNullable<Recipe['rl']>, changes: Partial<Recipe> = {}): Recipe {
  const folder = temporaryFolder();
  return tinyRecipe(folder, {
    rl,
    datasets: [{ path: writePreferences(folder, rl === 'kto') }],
    val_set_size: 3,
    eval_steps: 8,
    max_steps: 16,
    learning_rate: 0.01,
    ...changes,
  });
}

describe('held-out answers', () => {
  test.each(['dpo', 'ipo', 'orpo', 'simpo', 'cpo'] as const)('%s: the chosen one comes out ahead', async (rl) => {
    const run = await trainHere(
      recipeFor(rl, { sample_packing: true, ...(rl === 'orpo' && { orpo_alpha: 1, max_steps: 32 }) }),
    );
    const steps = eventsOf(run, 'step');
    const last = eventsOf(run, 'evaluated').at(-1);
    expect(last?.rewardAccuracy).toBe(1);
    expect(last?.rewardMargin).toBeGreaterThan(0);
    expect(last).not.toHaveProperty('perplexity');
    expect(steps.at(-1)?.loss).toBeLessThan(steps[0]?.loss as number);
    if (rl === 'dpo') {
      // Before the first step the policy is its reference.
      expect(steps[0]).toMatchObject({ rewardMargin: 0, rewardAccuracy: 0 });
      expect(steps[0]?.loss).toBeCloseTo(Math.LN2, 6);
    }
  });

  test('dpo: the reference has the embedding of the base, however far it is trained', async () => {
    const changes = { lora_modules_to_save: ['embed_tokens'], sample_packing: true };
    const run = await trainHere(recipeFor('dpo', changes));
    expect(eventsOf(run, 'step')[0]).toMatchObject({ rewardMargin: 0, rewardAccuracy: 0 });
    expect(eventsOf(run, 'evaluated').at(-1)?.rewardMargin).toBeGreaterThan(0);
  });

  test('kto: good answers are rewarded above bad ones', async () => {
    const run = await trainHere(recipeFor('kto', { max_steps: 24, val_set_size: 8 }));
    const last = eventsOf(run, 'evaluated').at(-1);
    expect(last?.rewardMargin).toBeGreaterThan(0.05);
    expect(eventsOf(run, 'step')[0]).toMatchObject({ divergence: 0, loss: 0.5 });
    expect(eventsOf(run, 'step').some(({ divergence = 0 }) => (divergence ?? 0) > 0)).toBe(true);
  });
});

test('how pairs lie in batches changes nothing but rounding', async () => {
  const recipe = recipeFor('dpo', {
    rpo_alpha: 0.5,
    micro_batch_size: 4,
    gradient_accumulation_steps: 1,
    max_steps: 4,
  });
  const together = lossesOf(await trainHere(recipe));
  const apart = lossesOf(await trainHere({ ...recipe, micro_batch_size: 1, gradient_accumulation_steps: 4 }));
  for (const [i, loss] of together.entries()) expect(apart[i]).toBeCloseTo(loss as number, 4);
});

async function memoryOf(changes: Partial<Recipe>) {
  const recipe = resolveRecipe(recipeFor('dpo', changes), { baseDirectory: '/' });
  const session = await openSession(createJob(recipe), { dataFolder: temporaryFolder() });
  const { memory } = session.plan;
  await session.close();
  return memory;
}

test('no second model is in memory: the plan has the weights of a supervised run', async () => {
  const [preferring, imitating] = [await memoryOf({}), await memoryOf({ rl: null, sequence_len: 128 })];
  expect(preferring.weights).toBe(imitating.weights);
  expect(preferring.parameters).toBe(imitating.parameters);
  expect(preferring.activations).toBeLessThan(1.1 * imitating.activations);
});

test.each(['dpo', 'kto', 'reward'] as const)(
  '%s: SIGKILL and going on give the same bits',
  { timeout: 300_000 },
  async (rl) => {
    const recipe = recipeFor(rl, { save_steps: 4, max_steps: 40, lora_dropout: 0.1, sample_packing: true });
    const undisturbed = await trainHere(recipe);
    const { path } = await closed(recipe);
    let kills = 0;
    for (let step = 6; kills < 3; step += 9) {
      const child = trainInChild(path);
      while (readRun(path).status.step < step) await wait(5);
      child.kill('SIGKILL');
      if ((await child.ended).end === 'SIGKILL') kills++;
    }
    expect(await trainInChild(path).ended).toEqual({ end: 0, errors: '' });
    await using run = await RunDirectory.open(path);
    expect(weightsHash(run, 40)).toBe(weightsHash(undisturbed, 40));
    expect(readFileSync(join(path, 'losses.bin'))).toEqual(readFileSync(join(undisturbed.path, 'losses.bin')));
  },
);

async function closed(recipe: Recipe): Promise<{ path: string }> {
  const run = await createRun(recipe);
  await run.close();
  return { path: run.path };
}
