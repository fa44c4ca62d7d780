import { basename } from 'node:path';
import type { ActivationPolicy, Device, Saving } from '@anneal/kernels';
import type { StepBatches } from '../datasets/types.ts';
import { allocateEngine, freeDeviceBytes, hostBudget, memoryBudget } from '../memory.ts';
import { loraSpec } from '../models/adapters/lora.ts';
import { targetedLinears } from '../models/adapters/targets.ts';
import { readableTokens } from '../models/config.ts';
import { loadWeights } from '../models/load.ts';
import type { OpenModel } from '../models/model.ts';
import { nf4Forms, type Quantization } from '../models/nf4.ts';
import { supervised } from '../objectives/supervised.ts';
import { random } from '../random.ts';
import { initializeLora } from '../trainer/initialize.ts';
import { usualAdamw } from '../trainer/optimizer.ts';
import { planTraining } from '../trainer/planTraining.ts';
import { TrainingEngine } from '../trainer/trainingEngine.ts';
import { type BenchRow, deviceName, opTimes, peakGigabytes, timing } from './row.ts';

export interface SftBenchOptions {
  readonly model: OpenModel;
  readonly device: Device;
  readonly weightType: 'f32' | 'bf16';
  readonly quantization: Quantization;
  /** Documents of a step, in one batch. */
  readonly rows: number;
  /** Tokens of each. */
  readonly sequenceLen: number;
  /** 0: full fine-tuning. */
  readonly loraR: number;
  readonly dora?: boolean;
  /** What the adapter goes on; every linear of the blocks, if nothing is said. */
  readonly targets?: readonly string[];
  readonly optimizer: 'adamw_torch' | 'adamw_8bit';
  readonly activations: ActivationPolicy;
  readonly warmup: number;
  readonly steps: number;
  /** Also say where the time goes. */
  readonly profile: boolean;
}

const profiledSteps = 3;

/**
 * Optimizer steps of supervised fine-tuning on random tokens, all of them target tokens: forward, backward, clipping, AdamW.
 * Closes the model.
 */
export async function benchSft(options: SftBenchOptions): Promise<BenchRow> {
  const {
    model,
    device,
    weightType,
    quantization,
    rows,
    sequenceLen,
    loraR,
    dora = false,
    targets = 'all-linear',
    optimizer,
  } = options;
  const linears = targetedLinears(model.config, model.architecture.names, targets);
  const lora = loraR > 0 ? loraSpec({ r: loraR, alpha: loraR, rslora: false, dora, dropout: 0 }, linears) : null;
  const { plan } = planTraining({
    config: model.config,
    device,
    weightType,
    nf4: nf4Forms(model, quantization),
    lora,
    objective: supervised,
    optimizer: { ...usualAdamw, momentBits: optimizer === 'adamw_8bit' ? 8 : 32 },
    maxTokens: rows * sequenceLen,
    activations: options.activations,
    memoryBudget: memoryBudget(device),
    hostBudget: hostBudget(),
    sampleContext: 0,
  });
  const freeBefore = device.kind === 'cuda' ? freeDeviceBytes(device) : 0;
  const engine = allocateEngine(plan, device, { what: 'the benchmark', next: 'lower --sequence-len' });
  const loading = performance.now();
  await loadWeights(engine, model);
  const loadSeconds = (performance.now() - loading) / 1000;
  model.close();
  if (lora) await initializeLora(engine, lora, 1);
  const training = new TrainingEngine(engine, supervised);
  const batches = randomStep(rows, sequenceLen, readableTokens(model.config));
  const milliseconds: number[] = [];
  const submit = (step: number) => training.step(batches, { step, learningRate: 1e-4, seed: 1 });
  const last = options.warmup + options.steps;
  let next = submit(1);
  for (let step = 1, collected = performance.now(); step <= last; step++) {
    const current = next;
    if (device.queuesSteps && step < last) next = submit(step + 1); // as runs do
    await current;
    if (step > options.warmup) milliseconds.push(performance.now() - collected);
    collected = performance.now();
    if (!device.queuesSteps && step < last) next = submit(step + 1);
  }
  const taken = device.kind === 'cuda' ? freeBefore - freeDeviceBytes(device) : null;
  // Steps of their own, because measuring each launch slows a step down.
  if (options.profile) {
    engine.setProfiling(true);
    for (let i = 1; i <= profiledSteps; i++)
      await training.step(batches, { step: options.warmup + options.steps + i, learningRate: 1e-4, seed: 1 });
  }
  const profile = options.profile ? engine.takeProfile() : [];
  await engine.dispose();
  const { median, spread } = timing(milliseconds);
  return {
    suite: 'sft',
    shape: basename(model.path),
    device: deviceName(device),
    dtype: weightType,
    quantization,
    activations: plan.savings.every(isFree) ? 'keep' : options.activations,
    rows,
    sequenceLen,
    loraR,
    ...(dora && { dora }),
    optimizer,
    tokensPerSecond: ((rows * sequenceLen) / median) * 1000,
    msPerStep: median,
    spread,
    peakGb: device.kind === 'cuda' ? (plan.memory.total + plan.memory.libraries) / 1e9 : peakGigabytes(),
    planGb: plan.memory.total / 1e9,
    hostGb: plan.memory.host / 1e9,
    driverGb: plan.memory.driver / 1e9,
    // By the driver, beside the context: it was to be the plan, libraries and what the driver keeps for them.
    ...(taken !== null && { takenGb: taken / 1e9 }),
    steps: options.steps,
    loadSeconds,
    ...(options.profile && { profile: opTimes(profile, profiledSteps) }),
  };
}

/** What `keep` does, too. */
function isFree(saving: Saving): boolean {
  return saving.how === 'recompute' && saving.isElementwise;
}

/** A step of random tokens, all of them targets but the last of each document. */
export function randomStep(rows: number, sequenceLen: number, vocabSize: number): StepBatches {
  const { below } = random('bench', 1);
  const tokens = Int32Array.from({ length: rows * sequenceLen }, () => below(vocabSize));
  const positions = tokens.map((_, t) => t % sequenceLen);
  const labels = tokens.map((_, t) => (t % sequenceLen === sequenceLen - 1 ? -1 : (tokens[t + 1] as number)));
  const cuSeqlens = Int32Array.from({ length: rows + 1 }, (_, i) => i * sequenceLen);
  const batch = {
    tokens,
    labels,
    positions,
    cuSeqlens,
    documents: Array.from({ length: rows }, (_, i) => i),
    sides: Array.from({ length: rows }, () => 'none' as const),
  };
  const targetTokens = rows * (sequenceLen - 1);
  return { batches: [batch], divergence: [], targetTokens, tokens: tokens.length, epoch: 0, index: 0 };
}
