import { join } from 'node:path';
import { compile, cpuDevice, type Device, Engine } from '@anneal/kernels';
import type { StepBatches } from '../datasets/types.ts';
import { baseProgram, openDecodeEngine } from '../generate/decodeEngine.ts';
import { generate } from '../generate/generate.ts';
import { greedy } from '../generate/sample.ts';
import { loraSpecOf, readLora, writeLora } from '../models/adapters/lora.ts';
import { type LoraWeights, loadLoraWeights } from '../models/adapters/loraWeights.ts';
import { mergedWeights } from '../models/adapters/merge.ts';
import { loadWeights } from '../models/load.ts';
import { nf4Forms } from '../models/nf4.ts';
import { type OpenModel, openModel } from '../models/open.ts';
import { trainingPrograms } from '../trainer/programs.ts';
import { learningRateSchedule } from '../trainer/schedule.ts';
import { TrainingEngine } from '../trainer/trainingEngine.ts';
import { goldenBatch, packed } from './batches.ts';
import { float32, forward, type Precision, withForwardEngine } from './forward.ts';
import { type GoldenCurve, type GoldenCurves, type GoldenFolder, openGolden } from './golden.ts';
import { gradientVariable } from './gradientNames.ts';
import {
  activationDifference,
  gradientDifference,
  maxDifference,
  mismatches,
  peakDifference,
  type Quantity,
  relativeDifference,
  tolerances,
} from './quantity.ts';
import { verifyFrozen } from './verifyFrozen.ts';

/** Compares everything a golden model folder holds with what this engine computes from its checkpoint, in float32. */
export async function verifyModel(path: string, device: Device = cpuDevice()): Promise<Quantity[]> {
  const golden = openGolden(path);
  const model = openModel(path);
  try {
    const adapter = loadLoraWeights(join(path, 'adapter'), model);
    if (nf4Forms(model, 'none').size > 0) return await verifyFrozen(golden, model, adapter, device);
    return [
      verifyLabels(golden),
      verifyAdapterShape(golden, adapter),
      ...(await verifyForward(golden, model, null, device)),
      ...(await verifyGreedy(golden, model, device)),
      ...(await verifyTraining(golden, model, null, device)),
      ...(await verifyForward(golden, model, adapter, device)),
      ...(await verifyTraining(golden, model, adapter, device)),
    ];
  } finally {
    model.close();
    golden.close();
  }
}

/** Each label is its own token or none: the first of a sequence is no target, so no loss would show that it is wrong. */
export function verifyLabels(golden: GoldenFolder): Quantity {
  const tokens = golden.int32('input_ids');
  const labels = golden.int32('labels');
  return mismatches(
    'labels',
    labels,
    tokens.map((token, i) => (labels[i] === -100 ? -100 : token)),
  );
}

/** The curve's file repeats what the adapter's config says. */
function verifyAdapterShape({ curves }: GoldenFolder, { r, alpha, rslora }: LoraWeights): Quantity {
  const { lora } = curves;
  return mismatches('curve.lora.adapter', [r, alpha, rslora], [lora.r, lora.alpha, lora.rslora]);
}

export async function verifyForward(
  golden: GoldenFolder,
  model: OpenModel,
  adapter: LoraWeights | null,
  device: Device,
): Promise<Quantity[]> {
  const batch = goldenBatch(golden);
  const { layerCount } = model.config;
  if (adapter) {
    const [logits] = await withForwardEngine(model, loraSpecOf(adapter, 0), device, batch, async (engine) => {
      await writeLora(engine, adapter.modules);
      return forward(engine, batch, ['logits']);
    });
    return activationDifference('lora.logits', logits as Float32Array, golden.float32('lora.logits'), layerCount);
  }
  const hidden = golden.names.filter((name) => name.startsWith('hidden.'));
  const wanted = [...hidden, 'logits'];
  const values = await withForwardEngine(model, null, device, batch, (engine) => forward(engine, batch, wanted));
  const quantities = wanted.flatMap((name, i) =>
    activationDifference(name, values[i] as Float32Array, golden.float32(name), layerCount),
  );
  if (!golden.names.includes('packed.logits')) return quantities;
  const lengths = Array.from(golden.int32('packed.lengths'));
  const together = packed(golden.int32('packed.input_ids'), lengths);
  const [logits] = await withForwardEngine(model, null, device, together, (engine) =>
    forward(engine, together, ['logits']),
  );
  return [
    ...quantities,
    ...activationDifference('packed.logits', logits as Float32Array, golden.float32('packed.logits'), layerCount),
  ];
}

async function verifyGreedy(golden: GoldenFolder, model: OpenModel, device: Device): Promise<Quantity[]> {
  const prompt = golden.int32('greedy.prompt');
  const expected = golden.int32('greedy.output');
  // Half the prompt at once also takes the path that reads a prompt in several pieces.
  const promptChunk = Math.max(1, Math.ceil(prompt.length / 2));
  const options = { device, weightType: 'f32', contextLength: expected.length, promptChunk } as const;
  const engine = await openDecodeEngine(model, options);
  const made: number[] = Array.from(prompt);
  const generation = generate(engine, prompt, {
    program: baseProgram,
    sampling: greedy,
    maxNewTokens: expected.length - prompt.length,
    stopIds: new Set(),
    seed: 0,
  });
  for await (const id of generation) made.push(id);
  await engine.dispose();
  return [mismatches('greedy', made, expected)];
}

/** Loss, gradients and the ten-step curve; with an adapter also the logits of the merged weights after it. */
async function verifyTraining(
  golden: GoldenFolder,
  model: OpenModel,
  adapter: LoraWeights | null,
  device: Device,
): Promise<Quantity[]> {
  const lora = adapter && loraSpecOf(adapter, 0);
  const engine = await openTraining(golden, model, adapter, device, float32);
  await using training = new TrainingEngine(engine);
  const step = goldenStep(golden);
  const prefix = adapter ? 'lora.' : '';
  const pad = adapter ? null : padInText(golden, model);
  // A step with a rate of 0 leaves its gradients behind and, with its moments cleared afterwards, nothing else.
  const first = await training.step(step, { step: 1, learningRate: 0, seed: 0 });
  const quantities = [maxDifference(`${prefix}loss`, [first.loss], golden.float32(`${prefix}loss`), tolerances.loss)];
  for (const name of golden.names.filter((n) => n.startsWith(`${prefix}grad.`))) {
    const variable = gradientVariable(model, name);
    const gradient = (await engine.read(variable)) as Float32Array;
    const reference = golden.float32(name);
    if (pad === null || variable !== 'gradient/embed') {
      quantities.push(...gradientDifference(name, gradient, reference));
      continue;
    }
    const [ours, theirs] = [gradient, reference].map((values) => withoutRow(values, pad, model.config.hiddenSize));
    quantities.push(...gradientDifference(`${name} without row ${pad}`, ours as Float32Array, theirs as Float32Array));
  }
  for (const [name, { tensor }] of engine.plan.variables) {
    if (tensor.kind === 'optimizer')
      await engine.write(name, new Float32Array(tensor.shape.reduce<number>((n, d) => n * Number(d), 1)), 'f32');
  }
  quantities.push(...(await verifyCurve(golden, training, step, adapter ? 'lora' : 'full', pad)));
  if (adapter && lora) {
    const tuned = await readLora(engine, { ...adapter, dropout: 0 }, lora);
    quantities.push(await verifyMerged(golden, model, tuned, device));
  }
  return quantities;
}

/**
 * The pad token where the text holds it. PyTorch's embedding gives its row no gradient from the lookup, ours does (docs/numerics.md): that
 * row, the gradient norm and whatever comes after the first update cannot be compared.
 */
function padInText(golden: GoldenFolder, model: OpenModel): number | null {
  const { padTokenId } = model.config;
  return padTokenId !== null && golden.int32('input_ids').includes(padTokenId) ? padTokenId : null;
}

function withoutRow(values: Float32Array, row: number, width: number): Float32Array {
  return values.filter((_, i) => Math.floor(i / width) !== row);
}

/** The engine of a golden folder's training runs, with the checkpoint's weights, and the adapter's where there is one. */
export async function openTraining(
  golden: GoldenFolder,
  model: OpenModel,
  adapter: LoraWeights | null,
  device: Device,
  precision: Precision,
  optimizer: Omit<GoldenCurves['optimizer'], 'warmup_steps' | 'steps'> = golden.curves.optimizer,
): Promise<Engine> {
  const { graphs } = trainingPrograms({
    config: model.config,
    ...precision,
    nf4: nf4Forms(model, 'none'),
    logitRows: device.logitRows,
    lora: adapter && loraSpecOf(adapter, 0),
    optimizer: {
      beta1: optimizer.betas[0],
      beta2: optimizer.betas[1],
      epsilon: optimizer.eps,
      weightDecay: optimizer.weight_decay,
      maxGradNorm: optimizer.max_grad_norm,
      decays: () => true,
    },
  });
  const { tokens, cuSeqlens } = goldenBatch(golden);
  const bounds = { T: tokens.length, S: cuSeqlens.length, R: tokens.length };
  const engine = new Engine(compile(graphs, { bounds, activations: 'keep', device }), device);
  await loadWeights(engine, model);
  if (adapter) await writeLora(engine, adapter.modules);
  return engine;
}

/** The golden batch as a step of its own. */
export function goldenStep(golden: GoldenFolder): StepBatches {
  const batch = goldenBatch(golden);
  const targetTokens = batch.targets.filter((target) => target >= 0).length;
  return { batches: [batch], targetTokens, tokens: batch.tokens.length, epoch: 0, index: 0 };
}

async function verifyCurve(
  golden: GoldenFolder,
  training: TrainingEngine,
  step: StepBatches,
  which: 'full' | 'lora',
  pad: number | null,
): Promise<Quantity[]> {
  const { optimizer, schedule } = golden.curves;
  const curve: GoldenCurve = golden.curves[which];
  const rateOf = learningRateSchedule({
    kind: 'linear',
    peak: curve.lr,
    warmupSteps: optimizer.warmup_steps,
    totalSteps: optimizer.steps,
    minRatio: 0,
  });
  const losses: number[] = [];
  const norms: number[] = [];
  for (let i = 0; i < optimizer.steps; i++) {
    const result = await training.step(step, { step: i + 1, learningRate: rateOf(i), seed: 0 });
    losses.push(result.loss);
    norms.push(result.gradientNorm);
  }
  const moved = losses.findIndex((_, i) => rateOf(i) > 0) + 1;
  return [
    ...(pad === null
      ? [
          relativeDifference(`curve.${which}.loss`, losses, curve.loss, tolerances.curve),
          relativeDifference(`curve.${which}.grad_norm`, norms, curve.grad_norm, tolerances.curve),
        ]
      : [
          relativeDifference(
            `curve.${which}.loss before the pad token moves`,
            losses.slice(0, moved),
            curve.loss.slice(0, moved),
            tolerances.curve,
          ),
        ]),
    ...(which === 'full'
      ? [
          relativeDifference(
            'curve.schedule',
            schedule.map((_, i) => rateOf(i)),
            schedule,
            1e-12,
          ),
        ]
      : []),
  ];
}

async function verifyMerged(
  golden: GoldenFolder,
  model: OpenModel,
  tuned: LoraWeights,
  device: Device,
): Promise<Quantity> {
  const [, length = 0] = golden.shape('input_ids');
  const batch = packed(golden.int32('input_ids').subarray(0, length), [length]);
  const [logits] = await withForwardEngine(model, null, device, batch, async (engine) => {
    for (const name of tuned.modules.keys()) await engine.write(name, await mergedWeights(model, tuned, name), 'f32');
    return forward(engine, batch, ['logits']);
  });
  // Where a gradient is nearly zero AdamW turns its rounding into a whole step: the reference repeated in float64 or by another build of
  // PyTorch is itself up to 1e-4 away.
  return peakDifference(
    'lora.merged.logits',
    logits as Float32Array,
    golden.float32('lora.merged.logits'),
    tolerances.merged,
  );
}
