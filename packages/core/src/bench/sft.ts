import { basename } from 'node:path';
import type { Device } from '@anneal/kernels';
import type { StepBatches } from '../datasets/types.ts';
import { allocateEngine, memoryBudget } from '../memory.ts';
import { loraSpec } from '../models/adapters/lora.ts';
import { targetedLinears } from '../models/adapters/targets.ts';
import { loadWeights } from '../models/load.ts';
import { openModel } from '../models/open.ts';
import { random } from '../random.ts';
import { initializeLora } from '../trainer/initialize.ts';
import { planTraining } from '../trainer/planTraining.ts';
import { TrainingEngine } from '../trainer/trainingEngine.ts';
import { type BenchRow, deviceName, peakGigabytes, timing } from './row.ts';

export interface SftBenchOptions {
  readonly modelPath: string;
  readonly device: Device;
  readonly weightType: 'f32' | 'bf16';
  readonly sequenceLen: number;
  /** 0: full fine-tuning. */
  readonly loraR: number;
  readonly activations: 'auto' | 'keep' | 'recompute';
  readonly warmup: number;
  readonly steps: number;
  /** Also say where the time goes. */
  readonly profile: boolean;
}

/** Optimizer steps of supervised fine-tuning on one row of random tokens, all of them targets: forward, backward, clipping, AdamW. */
export async function benchSft(options: SftBenchOptions): Promise<BenchRow> {
  const { device, weightType, sequenceLen, loraR } = options;
  const model = openModel(options.modelPath);
  const linears = targetedLinears(model.config, model.architecture.names, 'all-linear');
  const lora = loraR > 0 ? loraSpec({ r: loraR, alpha: loraR, rslora: false, dropout: 0 }, linears) : null;
  const { plan } = planTraining({
    config: model.config,
    device,
    weightType,
    lora,
    optimizer: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, maxGradNorm: 1 },
    maxTokens: sequenceLen,
    activations: options.activations,
    memoryBudget: memoryBudget(),
    sampleContext: 0,
  });
  const engine = allocateEngine(plan, device, { what: 'the benchmark', next: 'lower --sequence-len' });
  await loadWeights(engine, model);
  model.close();
  if (lora) await initializeLora(engine, lora, 1);
  const training = new TrainingEngine(engine);
  const batches = randomStep(sequenceLen, model.config.vocabSize);
  const milliseconds: number[] = [];
  for (let step = 1; step <= options.warmup + options.steps; step++) {
    if (step === options.warmup + 1 && options.profile) {
      engine.takeProfile();
      engine.setProfiling(true);
    }
    const start = performance.now();
    await training.step(batches, { step, learningRate: 1e-4, seed: 1 });
    if (step > options.warmup) milliseconds.push(performance.now() - start);
  }
  const profile = options.profile ? engine.takeProfile() : [];
  await engine.dispose();
  const { median, spread } = timing(milliseconds);
  const levels = plan.programs.find((p) => p.name === 'train')?.levels ?? [];
  return {
    suite: 'sft',
    shape: basename(options.modelPath),
    device: deviceName(device),
    dtype: weightType,
    quantization: 'none',
    activations: levels.every((level) => level === 'none') ? 'keep' : options.activations,
    rows: 1,
    sequenceLen,
    loraR,
    tokensPerSecond: (sequenceLen / median) * 1000,
    msPerStep: median,
    spread,
    peakGb: peakGigabytes(),
    planGb: plan.memory.total / 1e9,
    steps: options.steps,
    ...(options.profile && {
      profile: profile.map(({ op, milliseconds: ms, launches }) => ({
        op,
        msPerStep: ms / options.steps,
        launches: launches / options.steps,
      })),
    }),
  };
}

function randomStep(length: number, vocabSize: number): StepBatches {
  const { below } = random('bench', 1);
  const tokens = Int32Array.from({ length }, () => below(vocabSize));
  const targets = Int32Array.from(tokens, (_, t) => tokens[t + 1] ?? -1);
  const positions = Int32Array.from(tokens, (_, t) => t);
  const batch = { tokens, targets, positions, cuSeqlens: Int32Array.of(0, length), rows: [0] };
  return { batches: [batch], targetTokens: length - 1, tokens: length, epoch: 0, index: 0 };
}
