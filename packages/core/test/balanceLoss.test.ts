/** The balance loss of routers: as transformers computes it, and as runs have it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bounds, compile, cpuDevice, Engine } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { buildBatch } from '../src/datasets/batch.ts';
import { tokenStoreOf as storeOf } from '../src/datasets/tokenStore.ts';
import type { StepBatches } from '../src/datasets/types.ts';
import { loadWeights } from '../src/models/load.ts';
import type { OpenModel } from '../src/models/model.ts';
import { supervised } from '../src/objectives/supervised.ts';
import type { Recipe } from '../src/recipe/schema.ts';
import { trainingPrograms } from '../src/trainer/programs.ts';
import { TrainingEngine } from '../src/trainer/trainingEngine.ts';
import { goldenBatch } from '../src/verify/batches.ts';
import { float32 } from '../src/verify/forward.ts';
import { openGolden } from '../src/verify/golden.ts';
import { openTraining, optimizerOf, stepOf } from '../src/verify/goldenTraining.ts';
import { gradientInOurs, gradientVariable } from '../src/verify/gradientNames.ts';
import { type GoldenModel, goldenModel, goldenPath, temporaryFolder, writeTinyModel } from './fixtures.ts';
import { checkpointPath, eventsOf, tinyRecipe, trainHere, weightsHash } from './runs.ts';

interface Reference {
  router_aux_loss_coef: number;
  lr: number;
  weight_decay: number;
  gradients: Record<string, number[]>;
  curve: { loss: number[]; aux_loss: number[]; grad_norm: number[] };
}

const device = cpuDevice({ threads: 2 });
const relative = (ours: number, theirs: number): number => Math.abs(ours / theirs - 1);

test.each(['qwen3-moe', 'gpt-oss', 'qwen3.5-moe'] as const)('%s: loss, gradients and five steps', async (name) => {
  const reference: Reference = JSON.parse(
    readFileSync(new URL(`golden/balance/${name}.json`, import.meta.url), 'utf8'),
  );
  const model = goldenModel(name);
  const { experts } = model.config;
  if (!experts) throw new Error(`${name} has no experts`);
  const config = { ...model.config, experts: { ...experts, balanceLoss: reference.router_aux_loss_coef } };
  const golden = openGolden(goldenPath(name));
  const batch = goldenBatch(golden);
  const { weight_decay, lr: learningRate, curve } = reference;
  const optimizer = { betas: [0.9, 0.999], eps: 1e-8, weight_decay, max_grad_norm: 1 } as const;
  await using training = await openTraining(golden, { ...model, config }, null, device, float32, optimizer);
  const { engine } = training;
  golden.close();
  for (const [i, loss] of curve.loss.entries()) {
    const result = await training.step(stepOf(batch), { step: i + 1, learningRate, seed: 0 });
    expect(relative(result.loss, loss), `loss of step ${i}`).toBeLessThan(1e-5);
    expect(relative(result.balanceLoss ?? 0, curve.aux_loss[i] as number), `aux_loss of step ${i}`).toBeLessThan(1e-5);
    expect(relative(result.gradientNorm, curve.grad_norm[i] as number), `norm of step ${i}`).toBeLessThan(1e-4);
    if (i > 0) continue;
    for (const [parameter, values] of Object.entries(reference.gradients)) {
      const variable = gradientVariable(model, `grad.${parameter}`);
      const expected = gradientInOurs(model, variable, Float32Array.from(values));
      const ours = (await engine.read(variable)) as Float32Array;
      const largest = expected.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
      const error = ours.reduce((most, g, at) => Math.max(most, Math.abs(g - (expected[at] as number))), 0);
      expect(ours).toHaveLength(expected.length);
      expect(error / largest, parameter).toBeLessThan(1e-4);
    }
  }
});

async function engineOf(model: OpenModel, bounds: Bounds, weight_decay: number): Promise<Engine> {
  const { graphs } = trainingPrograms({
    config: model.config,
    weightType: 'f32',
    activationType: 'f32',
    nf4: new Map(),
    logitRows: device.logitRows,
    lora: null,
    objective: supervised,
    optimizer: optimizerOf({ betas: [0.9, 0.999], eps: 1e-8, weight_decay, max_grad_norm: 1 }),
    balances: true,
  });
  const engine = new Engine(compile(graphs, { bounds, activations: 'keep', device }), device);
  await loadWeights(engine, model);
  return engine;
}

function recipeOf(name: GoldenModel, changes: Partial<Recipe> = {}): Recipe {
  const folder = temporaryFolder();
  return tinyRecipe(folder, { base_model: writeTinyModel(folder, name), max_steps: 6, ...changes });
}

test('a run tells it, learns by it through a frozen router, and goes on with the same bits', {
  timeout: 60_000,
}, async () => {
  const recipe = recipeOf('qwen3-moe', { router_aux_loss_coef: 2, save_steps: 3 });
  const run = await trainHere(recipe);
  const told = eventsOf(run, 'step').map(({ balanceLoss }) => balanceLoss as number);
  expect(told).toHaveLength(6);
  expect(told.every((value) => value > 1.5 && value < 8)).toBe(true);
  const plain = await trainHere({ ...recipe, router_aux_loss_coef: 0 });
  const [first] = eventsOf(plain, 'step');
  expect(first).not.toHaveProperty('balanceLoss');
  expect(eventsOf(run, 'step')[0]?.loss).toBeCloseTo((first?.loss ?? 0) + 2 * (told[0] as number), 4);
  expect(weightsHash(plain, 6)).not.toBe(weightsHash(run, 6));

  const again = await trainHere({ ...recipe, resume_from_checkpoint: checkpointPath(run, 3) });
  expect(weightsHash(again, 6)).toBe(weightsHash(run, 6));
});

test('what config.json asks for counts where the recipe says nothing', async () => {
  const recipe = recipeOf('qwen3-moe', { max_steps: 1 });
  const path = join(recipe.base_model, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...config, output_router_logits: true, router_aux_loss_coef: 0.5 }));
  const [asked, off] = [await trainHere(recipe), await trainHere({ ...recipe, router_aux_loss_coef: 0 })];
  const [[withIt], [without]] = [eventsOf(asked, 'step'), eventsOf(off, 'step')];
  expect(withIt?.loss).toBeCloseTo((without?.loss ?? 0) + 0.5 * (withIt?.balanceLoss ?? Number.NaN), 4);
});

test.each([
  ['smollm2', 'this model has none'],
  ['deepseek-v3', 'the routers of this model have no balance loss'],
] as const)('%s has none', async (name, what) => {
  const training = trainHere(recipeOf(name, { router_aux_loss_coef: 0.01, lora_target_modules: ['o_proj'] }));
  await expect(training).rejects.toMatchObject({ code: 'no_balance_loss', what: expect.stringContaining(what) });
});

test('tokens that fill a batch up count nothing', async () => {
  const model = goldenModel('qwen3-moe');
  const ids = Int32Array.from({ length: 20 }, (_, i) => 10 + i);
  const store = storeOf([{ ids, lossMask: new Uint8Array(20).fill(1), turns: [] }]);
  const batches = [buildBatch(store, [0])];
  const step: StepBatches = { batches, divergence: [], tokens: 20, targetTokens: 19, epoch: 0, index: 0 };
  const results = [];
  for (const bucketTokens of [1, 32]) {
    const engine = await engineOf(model, { T: 64, S: 9, R: 64 }, 0);
    Object.assign(engine, { device: { ...device, bucketTokens } });
    await using training = new TrainingEngine(engine, supervised, 1);
    const { loss, balanceLoss, gradientNorm } = await training.step(step, { step: 1, learningRate: 0.01, seed: 0 });
    results.push([loss, balanceLoss, gradientNorm]);
  }
  const [exact = [], filled = []] = results;
  for (const [i, value] of exact.entries()) expect(relative(filled[i] as number, value as number)).toBeLessThan(1e-6);
});
