import { compile, type Device, Engine } from '@anneal/kernels';
import { countLabels } from '../datasets/batch.ts';
import type { Batch, StepBatches } from '../datasets/types.ts';
import { loraSpecOf, writeLora } from '../models/adapters/lora.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import { askedBalanceLoss } from '../models/config.ts';
import { loadWeights } from '../models/load.ts';
import { nf4Forms } from '../models/nf4.ts';
import type { OpenModel } from '../models/open.ts';
import { supervised } from '../objectives/supervised.ts';
import type { DecidedOptimizer } from '../trainer/optimizer.ts';
import { trainingPrograms } from '../trainer/programs.ts';
import { learningRateSchedule } from '../trainer/schedule.ts';
import { TrainingEngine } from '../trainer/trainingEngine.ts';
import { goldenBatch } from './batches.ts';
import type { Precision } from './forward.ts';
import type { GoldenCurves, GoldenFolder } from './golden.ts';

type WrittenOptimizer = Omit<GoldenCurves['optimizer'], 'warmup_steps' | 'steps'>;

/**
 * The engine of a golden folder's training runs, with the checkpoint's weights, and the adapter's where there is one. The loss has the balance
 * loss where config.json asks for it.
 */
export async function openTraining(
  golden: GoldenFolder,
  model: OpenModel,
  adapter: LoraWeights | null,
  device: Device,
  precision: Precision,
  optimizer: WrittenOptimizer = golden.curves.optimizer,
): Promise<TrainingEngine> {
  const balanceLoss = askedBalanceLoss(model.config);
  const { graphs } = trainingPrograms({
    config: model.config,
    ...precision,
    nf4: nf4Forms(model, 'none', adapter && loraSpecOf(adapter, 0)),
    logitRows: device.logitRows,
    lora: adapter && loraSpecOf(adapter, 0),
    objective: supervised,
    optimizer: optimizerOf(optimizer),
    balances: balanceLoss > 0,
  });
  const { tokens, cuSeqlens } = goldenBatch(golden);
  const bounds = { T: tokens.length, S: cuSeqlens.length, R: tokens.length };
  const engine = new Engine(compile(graphs, { bounds, activations: 'keep', device }), device);
  await loadWeights(engine, model);
  if (adapter) await writeLora(engine, adapter);
  return new TrainingEngine(engine, supervised, balanceLoss);
}

/** AdamW as the reference values were made with it. */
export function optimizerOf({ betas, eps, weight_decay, max_grad_norm }: WrittenOptimizer): DecidedOptimizer {
  return {
    kind: 'adamw',
    beta1: betas[0],
    beta2: betas[1],
    epsilon: eps,
    weightDecay: weight_decay,
    maxGradNorm: max_grad_norm,
    momentBits: 32,
    decays: () => true,
  };
}

/** Losses and gradient norms of the golden batch's training run, and how its rate goes. */
export async function trainGolden(
  training: TrainingEngine,
  step: StepBatches,
  peak: number,
  { warmup_steps, steps }: GoldenCurves['optimizer'],
) {
  const rateOf = learningRateSchedule({
    kind: 'linear',
    peak,
    warmupSteps: warmup_steps,
    totalSteps: steps,
  });
  const losses: number[] = [];
  const norms: number[] = [];
  for (let i = 0; i < steps; i++) {
    const result = await training.step(step, { step: i + 1, learningRate: rateOf(i), seed: 0 });
    losses.push(result.loss);
    norms.push(result.gradientNorm);
  }
  return { rateOf, losses, norms };
}

/** The loss of a step that leaves its gradients behind and nothing else: its rate is 0, its moments are cleared. */
export async function gradientsOnly(training: TrainingEngine, step: StepBatches): Promise<number> {
  const { loss } = await training.step(step, { step: 1, learningRate: 0, seed: 0 });
  const { engine } = training;
  for (const [name, { tensor }] of engine.plan.variables) {
    if (tensor.kind === 'optimizer')
      await engine.write(name, new Float32Array(tensor.shape.reduce<number>((n, d) => n * Number(d), 1)), 'f32');
  }
  return loss;
}

/** The golden batch as a step of its own. */
export function goldenStep(golden: GoldenFolder): StepBatches {
  return stepOf(goldenBatch(golden));
}

/** A batch as a step of its own. */
export function stepOf(batch: Batch): StepBatches {
  return {
    batches: [batch],
    divergence: [],
    targetTokens: countLabels(batch),
    tokens: batch.tokens.length,
    epoch: 0,
    index: 0,
  };
}
