import { join } from 'node:path';
import { cpuDevice, type Device } from '@anneal/kernels';
import { evaluationBatches } from '../datasets/steps.ts';
import type { TokenStore } from '../datasets/tokenStore.ts';
import type { Batch, StepBatches } from '../datasets/types.ts';
import { loadLoraWeights } from '../models/adapters/loadLora.ts';
import { openModel } from '../models/open.ts';
import { withScoreHead } from '../models/scoreHead.ts';
import { supervisedRows } from '../objectives/labels.ts';
import type { Measured, Objective } from '../objectives/objective.ts';
import { referenceInput } from '../trainer/evaluatePrograms.ts';
import { lossSize, sampledRows, sampledStep, verifyAdvantages } from './goldenPolicy.ts';
import {
  type GoldenPreference,
  type GoldenVariant,
  objectiveOfVariant,
  openGoldenPreference,
  stepOf,
  storeOf,
} from './goldenPreference.ts';
import { gradientVariable } from './gradientNames.ts';
import {
  fullVariant,
  logpsOf,
  openPreferenceTraining,
  preferenceTolerance,
  type Subject,
} from './preferenceTraining.ts';
import { gradientDifference, type Quantity, quantity, relativeDifference, tolerances } from './quantity.ts';

/** What a preference objective computes of the base in `modelPath` and its adapter/, in float32. */
export async function verifyPreference(
  path: string,
  modelPath: string,
  device: Device = cpuDevice(),
): Promise<Quantity[]> {
  const { golden, tensors } = await openGoldenPreference(path, modelPath);
  const opened = openModel(modelPath);
  try {
    const isReward = golden.objective === 'reward';
    const model = isReward ? withScoreHead(opened) : opened;
    const adapter = await loadLoraWeights(join(isReward ? path : modelPath, 'adapter'), model);
    const of = { golden, tensors, model, adapter, device };
    const quantities = [...(await verifyLogps(of)), ...verifyAdvantages(golden)];
    for (const [name, variant] of Object.entries(golden.variants)) {
      quantities.push(...(await verifyVariant(of, name, variant)));
    }
    return quantities;
  } finally {
    opened.close();
    tensors.close();
  }
}

async function verifyLogps(of: Subject): Promise<Quantity[]> {
  const { golden, tensors } = of;
  const quantities: Quantity[] = [];
  for (const [name, sums] of Object.entries(golden.logps)) {
    if (name === 'old') continue; // what the model said when it gave the answers, which the loss is given
    const [who = '', ...rest] = name.split('.');
    const store = storeOf((rest.includes('clamped') ? golden.rows_clamped : golden.rows) ?? []);
    const logps = await answerLogps(of, store, who === 'policy', rest);
    quantities.push(
      relativeDifference(
        `logps.${name}`,
        logps.map((row) => row.reduce((sum, logp) => sum + logp, 0)),
        sums,
        preferenceTolerance.logp,
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

async function verifyVariant(of: Subject, name: string, variant: GoldenVariant): Promise<Quantity[]> {
  const { golden, tensors, model } = of;
  const objective = objectiveOfVariant(golden.objective, variant);
  const store = storeOf((name.endsWith('clamped') ? golden.rows_clamped : golden.rows) ?? []);
  const step = stepOfVariant(of, variant, store, objective);
  const { batches, divergence } = step;
  const inputsOf = await referencesFor(of, name, batches);
  await using training = await openPreferenceTraining(of, name, objective, step.tokens);
  const whole = await training.evaluate(batches, divergence, inputsOf);
  const rows: Measured[] = [];
  if (name !== fullVariant) {
    for (const batch of rowBatches(of, variant, store, objective))
      rows.push(await training.evaluate([batch], divergence));
  }
  const first = await training.step(step, { step: 1, learningRate: 0, seed: 0 }, inputsOf);
  const size = lossSize(golden);
  const losses = [first.loss, whole.loss];
  const quantities = [
    relativeTo(size, `${name}.loss`, losses, [variant.loss, variant.loss], preferenceTolerance.loss),
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
  return curve ? [...quantities, ...(await verifyCurve(of, name, variant, objective, curve))] : quantities;
}

async function verifyCurve(
  of: Subject,
  name: string,
  variant: GoldenVariant,
  objective: Objective,
  curve: GoldenPreference['curves'][string],
): Promise<Quantity[]> {
  const step = stepOfVariant(of, variant, storeOf(of.golden.rows), objective);
  const inputsOf = await referencesFor(of, name, step.batches);
  await using training = await openPreferenceTraining(of, name, objective, step.tokens);
  const losses: number[] = [];
  const norms: number[] = [];
  const { lr: learningRate, steps } = of.golden.optimizer;
  for (let i = 1; i <= steps; i++) {
    const { loss, gradientNorm } = await training.step(step, { step: i, learningRate, seed: 0 }, inputsOf);
    losses.push(loss);
    norms.push(gradientNorm);
  }
  return [
    relativeTo(lossSize(of.golden), `curve.${name}.loss`, losses, curve.loss, tolerances.curve),
    relativeDifference(`curve.${name}.grad_norm`, norms, curve.grad_norm, tolerances.curve),
  ];
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

function stepOfVariant(
  { golden, tensors }: Subject,
  { options }: GoldenVariant,
  store: TokenStore,
  objective: Objective,
): StepBatches {
  if (golden.objective === 'reward') return withMargins(stepOf(store, objective), options.margin ? golden.margins : []);
  if (golden.objective !== 'grpo') return stepOf(store, objective);
  return sampledStep(golden, options, tensors.float32('logps.old'));
}

function withMargins(step: StepBatches, margins: readonly number[] = []): StepBatches {
  const marginOf = (document: number): number => margins[Math.floor(document / 2)] ?? 0;
  return { ...step, batches: step.batches.map((batch) => ({ ...batch, margins: batch.documents.map(marginOf) })) };
}

function rowBatches(
  { golden, tensors }: Subject,
  { options }: GoldenVariant,
  store: TokenStore,
  { answersPerRow }: Objective,
): Batch[] {
  if (golden.objective === 'grpo') return sampledRows(golden, options, tensors.float32('logps.old'));
  const rows = [...evaluationBatches(store, 1, answersPerRow)];
  if (golden.objective !== 'reward' || !options.margin) return rows;
  return rows.map((batch, row) => ({ ...batch, margins: [golden.margins?.[row] ?? 0, 0] }));
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
  accuracy: 'rewardAccuracy',
  margin: 'rewardMargin',
} as const;

const trlPolicyNames = { kl: 'divergence', 'clip_ratio/region_mean': 'clipShare' } as const;

function measures(name: string, { preference, policy }: Measured, { batch, options }: GoldenVariant): Quantity[] {
  if (policy) {
    return Object.entries(trlPolicyNames).flatMap(([theirs, ours]) => {
      const expected = batch[theirs];
      return expected === undefined ? [] : [near(`${name}.${theirs}`, [policy[ours] ?? Number.NaN], [expected], 1)];
    });
  }
  return Object.entries(trlNames).flatMap(([theirs, ours]) => {
    const expected = batch[theirs];
    // Without a divergence nothing is measured, which TRL calls 0.
    if (expected === undefined || (ours === 'divergence' && preference?.divergence === undefined)) return [];
    return [near(`${name}.${theirs}`, [Number(preference?.[ours] ?? Number.NaN)], [expected], options.beta ?? 1)];
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
    ...(hasPlainLoss &&
      !options.mask_truncated &&
      !options.sft_weight &&
      !options.cpo_alpha && { loss: ({ loss }) => loss }),
    rewards_chosen: ({ preference }) => preference?.rewardChosen,
    rewards_rejected: ({ preference }) => preference?.rewardRejected,
    margins: ({ preference }) => preference?.rewardMargin,
    accuracies: ({ preference }) => preference?.rewardAccuracy,
    scores_chosen: ({ preference }) => preference?.rewardChosen,
    scores_rejected: ({ preference }) => preference?.rewardRejected,
    rewards: ({ preference }) => preference?.rewardChosen ?? preference?.rewardRejected,
    // Of an answer that is left out the reference has a loss of 0.
    ...(!options.mask_truncated && options.beta && { kl: ({ policy }) => policy?.divergence }),
  };
  return Object.entries(values).flatMap(([key, valueOf]) => {
    const reference = expected[key];
    if (!reference || rows.length === 0) return [];
    const ours = rows.map((row) => Number(valueOf(row) ?? Number.NaN));
    return [near(`${name}.rows.${key}`, ours, reference, options.beta ?? 1)];
  });
}

/** Differences relative to the value, or to `size` where that is larger. */
function relativeTo(
  size: number,
  name: string,
  ours: readonly number[],
  reference: readonly number[],
  tolerance: number,
): Quantity {
  const errors = reference.map((value, i) => Math.abs((ours[i] as number) - value) / Math.max(Math.abs(value), size));
  const worst = errors.reduce((most, error) => (error <= most ? most : error), 0);
  return quantity(name, 'relative', ours.length === reference.length ? worst : Number.NaN, tolerance);
}

/**
 * Relative differences. A value near 0 is a difference of sums of log p, times beta: what float32 leaves of those is held to what
 * a value of that size would allow.
 */
function near(name: string, ours: readonly number[], reference: readonly number[], beta: number): Quantity {
  return relativeTo(Math.max(beta, 0.1), name, ours, reference, preferenceTolerance.measure);
}
