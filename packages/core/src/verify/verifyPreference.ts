import { join } from 'node:path';
import type { SafetensorsSource } from '@anneal/formats/safetensors/read';
import { compile, cpuDevice, type Device, Engine, float32Of, Graph, Variables } from '@anneal/kernels';
import { evaluationBatches } from '../datasets/steps.ts';
import type { TokenStore } from '../datasets/tokenStore.ts';
import type { Batch } from '../datasets/types.ts';
import { loraSpecOf, writeLora } from '../models/adapters/lora.ts';
import { type LoraWeights, loadLoraWeights } from '../models/adapters/loraWeights.ts';
import { mergedWeights } from '../models/adapters/merge.ts';
import { decoder } from '../models/layers/decoder.ts';
import { ModelScope } from '../models/layers/modelScope.ts';
import { loadWeights } from '../models/load.ts';
import { nf4Forms } from '../models/nf4.ts';
import { type OpenModel, openModel } from '../models/open.ts';
import type { Measured, Objective } from '../objectives/objective.ts';
import { supervisedRows, targetLogps } from '../objectives/targets.ts';
import { referenceInput, trainingPrograms } from '../trainer/programs.ts';
import { TrainingEngine } from '../trainer/trainingEngine.ts';
import { float32 } from './forward.ts';
import {
  type GoldenPreference,
  type GoldenVariant,
  objectiveOfVariant,
  openGoldenPreference,
  stepOf,
  storeOf,
} from './goldenPreference.ts';
import { optimizerOf } from './goldenTraining.ts';
import { gradientVariable } from './gradientNames.ts';
import { gradientDifference, type Quantity, quantity, relativeDifference, tolerances } from './quantity.ts';

/** Sums of log p near 50 carry 1e-5 in the reference's float32, which a loss may pass on. */
const tolerance = { loss: 2e-5, logp: 1e-5, measure: 1e-4 };

/** Policy: the base with its adapter; reference: without. One variant trains every weight of the two merged. */
const fullVariant = 'full_parameters';

/** What a preference objective computes of the base in `modelPath` and its adapter/, in float32. */
export async function verifyPreference(
  path: string,
  modelPath: string,
  device: Device = cpuDevice(),
): Promise<Quantity[]> {
  const { golden, tensors } = await openGoldenPreference(path, modelPath);
  const model = openModel(modelPath);
  try {
    const adapter = loadLoraWeights(join(modelPath, 'adapter'), model);
    const of = { golden, tensors, model, adapter, device };
    const quantities = await verifyLogps(of);
    for (const [name, variant] of Object.entries(golden.variants)) {
      quantities.push(...(await verifyVariant(of, name, variant)));
    }
    return quantities;
  } finally {
    model.close();
    tensors.close();
  }
}

interface Subject {
  readonly golden: GoldenPreference;
  readonly tensors: SafetensorsSource;
  readonly model: OpenModel;
  readonly adapter: LoraWeights;
  readonly device: Device;
}

async function verifyLogps(of: Subject): Promise<Quantity[]> {
  const { golden, tensors } = of;
  const quantities: Quantity[] = [];
  for (const [name, sums] of Object.entries(golden.logps)) {
    const [who = '', ...rest] = name.split('.');
    const store = storeOf((rest.includes('clamped') ? golden.rows_clamped : golden.rows) ?? []);
    const logps = await answerLogps(of, store, who === 'policy', rest);
    quantities.push(
      relativeDifference(
        `logps.${name}`,
        logps.map((row) => row.reduce((sum, logp) => sum + logp, 0)),
        sums,
        tolerance.logp,
      ),
    );
    const each = tensors.float32(`logps.${name}`);
    // A token that is nearly certain has a log p near 0, of which float32 keeps the absolute size.
    const error = logps.flat().reduce((most, logp, i) => Math.max(most, Math.abs(logp - (each[i] as number))), 0);
    quantities.push(quantity(`logps.${name} by token`, 'max', logps.flat().length === each.length ? error : NaN, 5e-5));
  }
  return quantities;
}

/** Of each answer of a kind, as golden.json names it, the log-probabilities of its tokens. */
async function answerLogps(
  of: Subject,
  store: TokenStore,
  adapted: boolean,
  kind: readonly string[],
): Promise<number[][]> {
  const pairs = stepOf(store, objectiveOfVariant('kto', { options: { beta: 1, loss_type: 'kto' } })).divergence;
  const [batch] = kind.includes('kl_pairs') ? pairs : evaluationBatches(store, Number.POSITIVE_INFINITY);
  if (!batch) throw new Error('the folder has no rows');
  const labels = kind.includes('chosen_with_prompt') ? everyLabel(batch) : batch.labels;
  const logps = await logpsOf(of, { ...batch, labels }, adapted);
  const rows = supervisedRows(labels);
  const found = batch.documents.map((_, d): number[] =>
    Array.from(rows.entries())
      .filter(([, t]) => (batch.cuSeqlens[d] as number) <= t && t < (batch.cuSeqlens[d + 1] as number))
      .map(([r]) => logps[r] as number),
  );
  const side = kind.includes('rejected') ? 'rejected' : 'chosen';
  const wanted = kind.some((part) => /chosen|rejected/.test(part));
  return found.filter((_, d) => !wanted || batch.sides[d] === side);
}

function everyLabel({ tokens, cuSeqlens }: Batch): Int32Array {
  const ends = new Set(cuSeqlens);
  return tokens.map((_, t) => (ends.has(t + 1) ? -1 : (tokens[t + 1] as number)));
}

/** f32[R]: of the base, or with its adapter. */
async function logpsOf({ model, adapter, device }: Subject, batch: Batch, adapted: boolean): Promise<Float32Array> {
  const graph = new Graph('logps', new Variables());
  const nf4 = nf4Forms(model, 'none');
  const lora = adapted ? loraSpecOf(adapter, 0) : null;
  const weights = { type: 'f32', nf4, trainable: false, lora, copies: false, dropoutSeed: null } as const;
  const scope = new ModelScope(graph, model.config, weights);
  const { hidden } = decoder(scope, {
    tokens: graph.input('tokens', 'i32', ['T']),
    positions: graph.input('positions', 'i32', ['T']),
    visible: { kind: 'packed', cuSeqlens: graph.input('cuSeqlens', 'i32', ['S']) },
  });
  graph.result('logps', targetLogps(graph, { head: scope.head(hidden), bf16: scope.bf16 }, device.logitRows));
  const { tokens, positions, cuSeqlens, labels } = batch;
  const rows = supervisedRows(labels);
  const extents = { T: tokens.length, S: cuSeqlens.length, R: rows.length };
  const engine = new Engine(compile([graph], { bounds: extents, activations: 'keep', device }), device);
  try {
    await loadWeights(engine, model);
    if (adapted) await writeLora(engine, adapter.modules);
    const inputs = { tokens, positions, cuSeqlens, labels, supervisedRows: rows };
    const { results } = await engine.run([{ program: 'logps', extents, inputs, results: ['logps'] }]);
    return float32Of(results[0] as Float32Array);
  } finally {
    await engine.dispose();
  }
}

async function verifyVariant(of: Subject, name: string, variant: GoldenVariant): Promise<Quantity[]> {
  const { golden, tensors, model } = of;
  const objective = objectiveOfVariant(golden.objective, variant);
  const store = storeOf((name.endsWith('clamped') ? golden.rows_clamped : golden.rows) ?? []);
  const step = stepOf(store, objective);
  const { batches, divergence } = step;
  const inputsOf = await referencesFor(of, name, batches);
  await using training = await openTraining(of, name, objective, step.tokens);
  const whole = await training.evaluate(batches, divergence, inputsOf);
  const rows: Measured[] = [];
  if (name !== fullVariant) {
    for (const batch of rowBatches(store, objective)) rows.push(await training.evaluate([batch], divergence));
  }
  const first = await training.step(step, { step: 1, learningRate: 0, seed: 0 }, inputsOf);
  const quantities = [
    relativeDifference(`${name}.loss`, [first.loss, whole.loss], [variant.loss, variant.loss], tolerance.loss),
    relativeDifference(`${name}.grad_norm`, [first.gradientNorm], [variant.grad_norm], tolerances.curve),
    ...measures(`${name}.step`, first, variant),
    ...measures(`${name}.evaluation`, whole, variant),
    ...rowMeasures(name, rows, variant, golden.objective !== 'orpo'),
  ];
  const prefix = `grad.${name}.`;
  for (const tensor of [...tensors.tensors.keys()].filter((key) => key.startsWith(prefix))) {
    const parameter = tensor.slice(prefix.length);
    const variable = gradientVariable(model, name === fullVariant ? `grad.${parameter}` : `lora.grad.${parameter}`);
    const gradient = (await training.engine.read(variable)) as Float32Array;
    quantities.push(...gradientDifference(tensor, gradient, tensors.float32(tensor)));
  }
  const curve = golden.curves[name];
  return curve ? [...quantities, ...(await verifyCurve(of, name, objective, curve))] : quantities;
}

async function verifyCurve(
  of: Subject,
  name: string,
  objective: Objective,
  curve: GoldenPreference['curves'][string],
): Promise<Quantity[]> {
  const step = stepOf(storeOf(of.golden.rows), objective);
  const inputsOf = await referencesFor(of, name, step.batches);
  await using training = await openTraining(of, name, objective, step.tokens);
  const losses: number[] = [];
  const norms: number[] = [];
  const { lr: learningRate, steps } = of.golden.optimizer;
  for (let i = 1; i <= steps; i++) {
    const { loss, gradientNorm } = await training.step(step, { step: i, learningRate, seed: 0 }, inputsOf);
    losses.push(loss);
    norms.push(gradientNorm);
  }
  return [
    relativeDifference(`curve.${name}.loss`, losses, curve.loss, tolerances.curve),
    relativeDifference(`curve.${name}.grad_norm`, norms, curve.grad_norm, tolerances.curve),
  ];
}

async function openTraining(of: Subject, name: string, objective: Objective, tokens: number): Promise<TrainingEngine> {
  const { golden, model, adapter, device } = of;
  const isFull = name === fullVariant;
  const { graphs } = trainingPrograms({
    config: model.config,
    ...float32,
    nf4: nf4Forms(model, 'none'),
    logitRows: device.logitRows,
    lora: isFull ? null : loraSpecOf(adapter, 0),
    objective,
    optimizer: optimizerOf(golden.optimizer),
  });
  // A prompt with another's answer may be longer than either document.
  const bounds = { T: 2 * tokens, S: tokens, R: 2 * tokens };
  const engine = new Engine(compile(graphs, { bounds, activations: 'keep', device }), device);
  await loadWeights(engine, model);
  if (!isFull) await writeLora(engine, adapter.modules);
  else
    for (const key of adapter.modules.keys()) await engine.write(key, await mergedWeights(model, adapter, key), 'f32');
  return new TrainingEngine(engine, objective);
}

/** Where every weight is trained, what the base said before. */
async function referencesFor(of: Subject, name: string, batches: readonly Batch[]) {
  const kept = new Map<Batch, Float32Array>();
  if (name === fullVariant) for (const batch of batches) kept.set(batch, await logpsOf(of, batch, false));
  return (batch: Batch): Record<string, Float32Array> => {
    const logps = kept.get(batch);
    return logps ? { [referenceInput]: logps } : {};
  };
}

function rowBatches(store: TokenStore, { answersPerRow }: Objective): Batch[] {
  return [...evaluationBatches(store, 1, answersPerRow)];
}

/** Ours by TRL's names. */
const trlNames = {
  'rewards/chosen': 'rewardChosen',
  'rewards/rejected': 'rewardRejected',
  'rewards/margins': 'rewardMargin',
  'rewards/accuracies': 'rewardAccuracy',
  'logps/chosen': 'logpChosen',
  'logps/rejected': 'logpRejected',
  kl: 'divergence',
} as const;

function measures(name: string, { preference }: Measured, { batch, options }: GoldenVariant): Quantity[] {
  return Object.entries(trlNames).flatMap(([theirs, ours]) => {
    const expected = batch[theirs];
    // Without a divergence nothing is measured, which TRL calls 0.
    if (expected === undefined || (ours === 'divergence' && preference?.divergence === undefined)) return [];
    return [near(`${name}.${theirs}`, [Number(preference?.[ours] ?? Number.NaN)], [expected], options.beta)];
  });
}

/** @param hasPlainLoss a row's loss is told, without a term that is a mean over the tokens of all */
function rowMeasures(
  name: string,
  rows: readonly Measured[],
  { rows: expected = {}, options }: GoldenVariant,
  hasPlainLoss: boolean,
): Quantity[] {
  const values: Record<string, (row: Measured) => number | null | undefined> = {
    ...(hasPlainLoss && !options.sft_weight && !options.cpo_alpha && { loss: ({ loss }) => loss }),
    rewards_chosen: ({ preference }) => preference?.rewardChosen,
    rewards_rejected: ({ preference }) => preference?.rewardRejected,
    margins: ({ preference }) => preference?.rewardMargin,
    accuracies: ({ preference }) => preference?.rewardAccuracy,
    rewards: ({ preference }) => preference?.rewardChosen ?? preference?.rewardRejected,
  };
  return Object.entries(values).flatMap(([key, valueOf]) => {
    const reference = expected[key];
    if (!reference || rows.length === 0) return [];
    const ours = rows.map((row) => Number(valueOf(row) ?? Number.NaN));
    return [near(`${name}.rows.${key}`, ours, reference, options.beta)];
  });
}

/**
 * Relative differences. A value near 0 is a difference of sums of log p, times beta: what float32 leaves of those is held to what
 * a value of that size would allow.
 */
function near(name: string, ours: readonly number[], reference: readonly number[], beta: number): Quantity {
  const least = Math.max(beta, 0.1);
  const errors = reference.map((value, i) => Math.abs((ours[i] as number) - value) / Math.max(Math.abs(value), least));
  const worst = errors.reduce((most, error) => (error <= most ? most : error), 0);
  return quantity(name, 'relative', ours.length === reference.length ? worst : Number.NaN, tolerance.measure);
}
