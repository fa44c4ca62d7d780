import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { meanOf } from '../src/objectives/sampledAnswers.ts';
import { withoutSuperseded } from '../src/protocol/events.ts';
import { resolveRecipe } from '../src/recipe/resolve.ts';
import type { Recipe } from '../src/recipe/schema.ts';
import { readAnswers } from '../src/trainer/answerFiles.ts';
import { createJob } from '../src/trainer/job.ts';
import { RunDirectory } from '../src/trainer/runDirectory.ts';
import { readPinned } from '../src/trainer/runHashes.ts';
import { readRun } from '../src/trainer/runReader.ts';
import { openSession } from '../src/trainer/session.ts';
import { temporaryFolder, writeTinyModel } from './fixtures.ts';
import {
  continueHere,
  createRun,
  eventsOf,
  lossesOf,
  tinyRecipe,
  trainHere,
  trainInChild,
  weightsHash,
} from './runs.ts';

const words = ['ant', 'bee', 'cat', 'dog', 'eel', 'fox', 'gnu', 'hen', 'ibis', 'jay', 'kite', 'lynx'];

/** A share of the characters of an answer are vowels: what a model without any knowledge can learn. */
const vowels = `
interface Answer { readonly completion: string; readonly row: { readonly prompt: string } }
export default (answers: readonly Answer[]): number[] =>
  answers.map(({ completion }) => (completion.match(/[aeiou]/g) ?? []).length / Math.max(1, completion.length));
`;

interface GrpoOptions {
  readonly reward?: string;
  readonly trl?: Partial<NonNullable<Recipe['trl']>>;
  readonly changes?: Partial<Recipe>;
}

function recipeFor({ reward = vowels, trl = {}, changes = {} }: GrpoOptions = {}): Recipe {
  const folder = temporaryFolder();
  const [rows, file] = [join(folder, 'prompts.jsonl'), join(folder, 'vowels.ts')];
  writeFileSync(rows, words.map((word, i) => `${JSON.stringify({ prompt: word, wanted: i })}\n`).join(''));
  writeFileSync(file, reward);
  return tinyRecipe(folder, {
    rl: 'grpo',
    trl: { reward_funcs: [file], num_generations: 16, max_completion_length: 8, ...trl },
    datasets: [{ path: rows }],
    micro_batch_size: 16,
    gradient_accumulation_steps: 2,
    max_steps: 24,
    learning_rate: 0.05,
    lr_scheduler: 'constant',
    ...changes,
  });
}

test('the mean reward rises, and what was sampled is kept', async () => {
  const run = await trainHere(recipeFor({ changes: { val_set_size: 3, eval_steps: 12 } }));
  const steps = eventsOf(run, 'step');
  const [first, last] = [steps[0], steps.at(-1)];
  const meanOfLast = steps.slice(-4).reduce((sum, { reward = 0 }) => sum + reward / 4, 0);
  expect(first?.reward).toBeLessThan(0.2);
  expect(meanOfLast).toBeGreaterThan(0.45);
  expect(first).toMatchObject({ rewardByFunction: { vowels: first?.reward }, clipShare: 0 });
  const evaluated = eventsOf(run, 'evaluated');
  expect(evaluated.at(-1)?.reward).toBeGreaterThan(0.3);
  expect(evaluated.at(-1)?.loss).toBe(-(evaluated.at(-1)?.reward as number));
  const answers = readAnswers(run.path, 24);
  expect(answers).toHaveLength(32);
  expect(answers.reduce((sum, { reward }) => sum + reward, 0) / 32).toBeCloseTo(last?.reward as number, 6);
  for (const { ids, logps, ended } of answers) {
    expect(logps).toHaveLength(ids.length);
    expect(ended || ids.length === 8).toBe(true);
  }
  expect(readPinned(run.path)?.rewards).toMatch(/^[0-9a-f]{64}$/);
});

const few: Partial<Recipe> = { max_steps: 3, micro_batch_size: 4, gradient_accumulation_steps: 2 };
const groups = { num_generations: 4 };

test('length, ends and spread of a step are those of its answers', async () => {
  // The values of one prompt of two are all the same.
  const reward = 'export default (answers) => answers.map(({ row, tokens }) => (row.wanted % 2) * tokens);';
  const trl = { ...groups, max_completion_length: 24 };
  const run = await trainHere(recipeFor({ reward, trl, changes: { ...few, max_steps: 6, learning_rate: 1e-6 } }));
  const steps = eventsOf(run, 'step');
  for (const { step, ...told } of steps) {
    const answers = readAnswers(run.path, step);
    const prompts = [answers.slice(0, 4), answers.slice(4)];
    const spreads = prompts.map((ofPrompt) => {
      const mean = meanOf(ofPrompt.map(({ reward: value }) => value));
      return Math.sqrt(ofPrompt.reduce((sum, { reward: value }) => sum + (value - mean) ** 2, 0) / 3);
    });
    expect(told.answerTokens).toBeCloseTo(meanOf(answers.map(({ ids }) => ids.length)), 6);
    expect(told.cutShare).toBe(meanOf(answers.map(({ ended }) => Number(!ended))));
    expect(told.rewardSpread).toBeCloseTo(meanOf(spreads), 6);
    expect(told.equalShare).toBe(meanOf(spreads.map((spread) => Number(spread === 0))));
  }
  const ofSteps = (name: 'cutShare' | 'equalShare') => new Set(steps.map((step) => step[name]));
  expect(ofSteps('cutShare').size).toBeGreaterThan(1);
  expect(ofSteps('equalShare').size).toBeGreaterThan(1);
});

test('a divergence, several updates and clipping are told', async () => {
  const trl = { ...groups, beta: 0.1, num_iterations: 3, epsilon: 0.01, loss_type: 'grpo' as const };
  const steps = eventsOf(await trainHere(recipeFor({ trl, changes: few })), 'step');
  expect(steps.every(({ divergence }) => (divergence ?? 0) > 0)).toBe(true);
  expect(steps.some(({ clipShare }) => (clipShare ?? 0) > 0)).toBe(true);
});

test('every weight can be trained', async () => {
  const full = { adapter: null, lora_r: undefined, lora_alpha: undefined, learning_rate: 0.01 } as const;
  const run = await trainHere(recipeFor({ trl: groups, changes: { ...few, ...full } }));
  expect(run.steps).toEqual([3]);
});

test('fewer answers beside each other are as many answers', async () => {
  const options = { trl: { ...groups, max_completion_length: 4 }, changes: few };
  const [together] = eventsOf(await trainHere(recipeFor(options)), 'step');
  const apart = await trainHere(recipeFor({ ...options, trl: { ...options.trl, generation_batch_size: 4 } }));
  const { reward, targetTokens } = together ?? {};
  expect(eventsOf(apart, 'step')[0]).toMatchObject({ reward, targetTokens });
});

async function memoryOf(trl: GrpoOptions['trl'], model: Partial<Recipe> = {}) {
  const recipe = recipeFor({ trl: { ...groups, ...trl }, changes: { ...few, ...model } });
  const resolved = resolveRecipe(recipe, { baseDirectory: '/' });
  const session = await openSession(createJob(resolved), { dataFolder: temporaryFolder() });
  const { memory } = session.plan;
  await session.close();
  return memory;
}

test('the plan has the cache of all answers, and no second model', async () => {
  const [all, half] = [await memoryOf({ beta: 0.1 }), await memoryOf({ beta: 0.1, generation_batch_size: 4 })];
  expect(all.cache).toBe(2 * half.cache);
  expect((await memoryOf({ beta: 0 })).weights).toBe(all.weights);
});

test.each(['lfm2', 'granite4-h', 'qwen3.5'] as const)('the plan has the states of all answers: %s', async (name) => {
  const model = { base_model: writeTinyModel(temporaryFolder(), name) };
  const [all, half] = [await memoryOf({}, model), await memoryOf({ generation_batch_size: 4 }, model)];
  expect(all.cache).toBe(2 * half.cache);
});

test.each(['lfm2', 'granite4-h', 'qwen3.5'] as const)(
  'layers that carry a state: %s says what it is trained as',
  async (name) => {
    const base_model = writeTinyModel(temporaryFolder(), name);
    // At such a temperature hardly anything but the likeliest token is said: another state would have said something else.
    const trl = { ...groups, temperature: 0.01 };
    const run = await trainHere(recipeFor({ trl, changes: { ...few, base_model, max_steps: 1 } }));
    const logps = readAnswers(run.path, 1).flatMap(({ logps: ofTokens }) => ofTokens.map(Number));
    expect(logps.length).toBeGreaterThan(20);
    expect(logps.reduce((sum, logp) => sum + logp, 0) / logps.length).toBeGreaterThan(-0.5);
  },
);

describe('what keeps a run from going on loses nothing', () => {
  test('a reward that cannot be read: nothing begins', async () => {
    const run = trainHere(recipeFor({ reward: 'export default (answers => [', changes: few, trl: groups }));
    await expect(run).rejects.toThrow('vowels.ts:1');
  });

  test.each([
    ['throws', "throw new Error('no')", 'it throws Error: no'],
    ['gives no number', 'return answers.map(() => 0 / 0)', 'is NaN'],
    ['gives too few', 'return []', '0 values for 8 answers'],
  ])('a reward that %s in the second step: the first is saved', async (_, statement, message) => {
    const later = `let calls = 0;
      export default (answers) => { if (++calls > 1) { ${statement}; } return answers.map((_, i) => i); };`;
    await using run = await createRun(recipeFor({ reward: later, trl: groups, changes: { ...few, save_steps: 1 } }));
    await expect(continueHere(run)).rejects.toThrow(message);
    expect((await run.checkpoints()).map(({ step }) => step)).toEqual([1]);
  });

  test('a reward that is another one than when the run began', async () => {
    const recipe = recipeFor({ trl: groups, changes: { ...few, save_steps: 1 } });
    await using run = await createRun(recipe);
    await continueHere(run);
    const [file] = recipe.trl?.reward_funcs ?? [];
    writeFileSync(String(file), `${readFileSync(String(file), 'utf8')}\n`);
    await expect(continueHere(run)).rejects.toThrow('the rewards changed since this run began');
  });
});

test.each([
  ['keys and values', null],
  ['states', 'lfm2'],
  ['states', 'granite4-h'],
  ['states', 'qwen3.5'],
] as const)('SIGKILL and going on give the same bits: %s, %s', { timeout: 300_000 }, async (_, name) => {
  const trl = { ...groups, max_completion_length: 6, beta: 0.05, num_iterations: 2 };
  const model = name && { base_model: writeTinyModel(temporaryFolder(), name) };
  const changes = { ...few, ...model, max_steps: 16, save_steps: 3, lora_dropout: 0.1 };
  const recipe = recipeFor({ trl, changes });
  const undisturbed = await trainHere(recipe);
  const { path } = await closed(recipe);
  let kills = 0;
  for (let step = 4; kills < 2; step += 5) {
    const child = trainInChild(path);
    while (readRun(path).status.step < step) await wait(5);
    child.kill('SIGKILL');
    if ((await child.ended).end === 'SIGKILL') kills++;
  }
  expect(await trainInChild(path).ended).toEqual({ end: 0, errors: '' });
  await using run = await RunDirectory.open(path);
  expect(weightsHash(run, 16)).toBe(weightsHash(undisturbed, 16));
  expect(lossesOf({ events: withoutSuperseded(run.events) })).toEqual(lossesOf(undisturbed));
  expect(readdirSync(join(path, 'answers'))).toHaveLength(16);
  for (const step of [5, 16]) expect(readAnswers(path, step)).toEqual(readAnswers(undisturbed.path, step));
});

async function closed(recipe: Recipe): Promise<{ path: string }> {
  const run = await createRun(recipe);
  await run.close();
  return { path: run.path };
}
