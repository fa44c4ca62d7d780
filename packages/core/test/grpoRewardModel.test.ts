/** GRPO judged by a reward model that Anneal trained; that scores are those of transformers is verified with reward models themselves. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportMerged } from '../src/export/merged.ts';
import { loadLoraWeights } from '../src/models/adapters/loadLora.ts';
import { openModel } from '../src/models/open.ts';
import { withScoreHead } from '../src/models/scoreHead.ts';
import type { SampledAnswerRecord } from '../src/protocol/answers.ts';
import { resolveRecipe } from '../src/recipe/resolve.ts';
import type { Recipe } from '../src/recipe/schema.ts';
import { evaluate } from '../src/trainer/evaluate.ts';
import { fitOf, memoryOf } from '../src/trainer/fit.ts';
import { createJob } from '../src/trainer/job.ts';
import type { RunDirectory } from '../src/trainer/runDirectory.ts';
import { openSession } from '../src/trainer/session.ts';
import { startEngine } from '../src/trainer/startEngine.ts';
import type { TrainSignal } from '../src/trainer/stopping.ts';
import { TrainingEngine } from '../src/trainer/trainingEngine.ts';
import { temporaryFolder, writeTinyModel } from './fixtures.ts';
import { continueHere, createRun, eventsOf, tinyGrpoRecipe, tinyRecipe, trainHere, weightsHash } from './runs.ts';

const words = ['ant', 'bee', 'cat', 'dog', 'eel', 'fox', 'gnu', 'hen', 'ibis', 'jay', 'kite', 'lynx'];

/** Capitals are preferred. */
function rewardRecipe(folder: string, changes: Partial<Recipe> = {}): Recipe {
  const path = join(folder, 'pairs.jsonl');
  const rows = words.map((prompt) => ({ prompt, chosen: prompt.toUpperCase(), rejected: prompt }));
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return tinyRecipe(folder, { rl: 'reward', datasets: [{ path }], max_steps: 16, save_steps: 8, ...changes });
}

interface RewardRun {
  readonly base: string;
  readonly run: string;
  readonly checkpoint: string;
}

async function rewardRun(): Promise<RewardRun> {
  const folder = temporaryFolder();
  const base = writeTinyModel(folder);
  const { path } = await trainHere(rewardRecipe(folder, { base_model: base }));
  return { base, run: path, checkpoint: join(path, 'checkpoints', 'checkpoint-16') };
}

function grpoRecipe(base: string, model: string, changes: Partial<Recipe> = {}): Recipe {
  const rows = words.map((prompt) => ({ prompt }));
  const trl = {
    reward_funcs: [{ type: 'length', target: 4 } as const, { type: 'reward_model', model } as const],
    reward_weights: [0, 1],
  };
  return tinyGrpoRecipe(rows, trl, { base_model: base, ...changes });
}

const stopAfter = (run: RunDirectory, step: number): TrainSignal => ({
  get stopRequested() {
    return run.status.step >= step;
  },
  saveRequested: false,
});

const answersOf = (run: string, step: number): SampledAnswerRecord[] =>
  readFileSync(join(run, 'answers', `step-${step}.jsonl`), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as SampledAnswerRecord);

/** Scores of two answers by what `anneal eval` measures of a reward model. */
async function measured({ base, checkpoint }: RewardRun, pair: object): Promise<number[]> {
  const folder = temporaryFolder();
  const held = join(folder, 'held.jsonl');
  writeFileSync(held, `${JSON.stringify(pair)}\n`);
  const recipe = rewardRecipe(folder, { base_model: base, test_datasets: [{ path: held }] });
  const session = await openSession(createJob(resolveRecipe(recipe, { baseDirectory: '/' })), { dataFolder: folder });
  try {
    const { engine } = await startEngine(session, checkpoint);
    await using measuring = new TrainingEngine(engine, session.objective);
    const { rewardChosen, rewardRejected } = (await evaluate(measuring, session)) as Record<string, number>;
    return [rewardChosen as number, rewardRejected as number];
  } finally {
    await session.close();
  }
}

test('the rewards of answers are their scores, by the adapter as by the merged model', {
  timeout: 120_000,
}, async () => {
  const reward = await rewardRun();
  const { path, events } = await trainHere(grpoRecipe(reward.base, reward.checkpoint));
  const answers = answersOf(path, 1);
  const scores = answers.map(({ rewards }) => rewards['reward_model'] as number);
  expect(answers.map(({ reward: whole }) => whole)).toEqual(scores);
  expect(new Set(scores).size).toBeGreaterThan(2);
  const [step] = eventsOf({ events }, 'step');
  expect(step?.rewardByFunction?.['reward_model']).toBeCloseTo(scores.reduce((a, b) => a + b) / scores.length, 6);

  const worded = answers.filter(({ text }) => text.trim() !== '');
  const [first] = worded;
  const other = worded.find(({ text, row }) => row === first?.row && text !== first?.text);
  if (!first || !other) throw new Error('the samples of this seed have no pair');
  const prompt = words[first.row - 1];
  const [chosen, rejected] = await measured(reward, { prompt, chosen: first.text, rejected: other.text });
  expect(first.rewards['reward_model']).toBeCloseTo(chosen as number, 4);
  expect(other.rewards['reward_model']).toBeCloseTo(rejected as number, 4);

  const base = openModel(reward.base);
  const model = withScoreHead(base);
  const merged = join(temporaryFolder(), 'merged');
  await exportMerged(merged, { model, adapter: await loadLoraWeights(reward.checkpoint, model), dtype: 'F32' });
  base.close();
  const again = answersOf((await trainHere(grpoRecipe(reward.base, merged, { max_steps: 1 }))).path, 1);
  expect(again.map(({ text }) => text)).toEqual(answers.map(({ text }) => text));
  for (const [i, { rewards }] of again.entries()) expect(rewards['reward_model']).toBeCloseTo(scores[i] as number, 4);
});

test('a stopped run goes on with the same bits, and not with another reward model', async () => {
  const { base, run, checkpoint } = await rewardRun();
  const undisturbed = await trainHere(grpoRecipe(base, checkpoint));
  await using stopped = await createRun(grpoRecipe(base, checkpoint));
  await continueHere(stopped, { signal: stopAfter(stopped, 2) });
  expect(stopped.status.step).toBe(2);
  await continueHere(stopped);
  expect(weightsHash(stopped, 4)).toBe(weightsHash(undisturbed, 4));

  const earlier = join(run, 'checkpoints', 'checkpoint-8', 'adapter_model.safetensors');
  await using begun = await createRun(grpoRecipe(base, checkpoint));
  await continueHere(begun, { signal: stopAfter(begun, 1) });
  writeFileSync(join(checkpoint, 'adapter_model.safetensors'), readFileSync(earlier));
  await expect(continueHere(begun)).rejects.toMatchObject({ code: 'run_inputs_changed' });
});

test('the memory of the reward model is part of the estimate', async () => {
  const { base, checkpoint } = await rewardRun();
  const folder = temporaryFolder();
  const job = createJob(resolveRecipe(grpoRecipe(base, checkpoint), { baseDirectory: '/' }));
  const session = await openSession(job, { dataFolder: folder });
  try {
    const { scoring = 0, total } = memoryOf(session);
    expect(scoring).toBeGreaterThan(session.plan.memory.weights);
    expect(total).toBe(session.plan.memory.total + scoring);
    expect(fitOf(session, folder).memory.needed).toBe(total);
  } finally {
    await session.close();
  }
});

test.each([
  ['a model that gives text', ({ base }: RewardRun) => base, 'gives text, and no score'],
  ['a run', ({ run }: RewardRun) => run, 'each of its checkpoints is another reward model'],
  ['a name that was not pulled', () => 'nobody/reward-model', 'has not been pulled'],
])('%s is refused as a reward model', async (_, model, message) => {
  const reward = await rewardRun();
  await expect(trainHere(grpoRecipe(reward.base, model(reward)))).rejects.toThrow(message);
});

test('a folder that is not there is a fault of the recipe, told at its key', () => {
  const recipe = grpoRecipe('/nowhere/base', './reward-model');
  expect(() =>
    resolveRecipe(recipe, { baseDirectory: '/projects', exists: (path) => !path.endsWith('reward-model') }),
  ).toThrow('/projects/reward-model does not exist');
});
