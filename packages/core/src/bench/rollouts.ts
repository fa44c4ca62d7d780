import { basename } from 'node:path';
import { compile, type Device, Variables } from '@anneal/kernels';
import { activationTypeOn } from '../device.ts';
import { generateTogether, rowsTogether } from '../generate/generateTogether.ts';
import { decodeProgram } from '../generate/programs.ts';
import { greedy } from '../generate/sample.ts';
import { allocateEngine } from '../memory.ts';
import { loraSpec } from '../models/adapters/lora.ts';
import { targetedLinears } from '../models/adapters/targets.ts';
import { readableTokens } from '../models/config.ts';
import { loadWeights } from '../models/load.ts';
import type { OpenModel } from '../models/model.ts';
import { nf4Forms, type Quantization } from '../models/nf4.ts';
import { random } from '../random.ts';
import { initializeLora } from '../trainer/initialize.ts';
import { type BenchRow, deviceName, type OpTime, opTimes, peakGigabytes, timing } from './row.ts';

export interface RolloutBenchOptions {
  readonly model: OpenModel;
  readonly device: Device;
  readonly weightType: 'f32' | 'bf16';
  readonly quantization: Quantization;
  /** Answers to one prompt, sampled beside each other. */
  readonly answers: number;
  readonly promptLength: number;
  readonly newTokens: number;
  /** Of an adapter on every linear, as it is while it is trained; 0: none. */
  readonly loraR: number;
  readonly repeats: number;
  /** Also say where the time goes. */
  readonly profile: boolean;
}

const program = 'rollout';

/** Answers as reinforcement learning samples them, beside each other. Closes the model. */
export async function benchRollouts(options: RolloutBenchOptions): Promise<BenchRow> {
  const { model, device, weightType, quantization, answers, promptLength, newTokens, loraR } = options;
  const { config } = model;
  const linears = targetedLinears(config, model.architecture.names, 'all-linear');
  const lora = loraR > 0 ? loraSpec({ r: loraR, alpha: loraR, rslora: false, dora: false, dropout: 0 }, linears) : null;
  const nf4 = nf4Forms(model, quantization, lora);
  const graph = decodeProgram(program, new Variables(), {
    config,
    weights: { type: weightType, nf4, trainable: false, lora, copies: false, dropoutSeed: null },
    activationType: activationTypeOn(device, weightType),
    contextLength: rowsTogether(promptLength, { answers, maxNewTokens: newTokens }),
    states: answers,
    several: true,
    chooses: true,
  });
  const bounds = { T: Math.max(promptLength, answers), N: answers, C: answers };
  const plan = compile([graph], { bounds, activations: 'keep', device });
  const engine = allocateEngine(plan, device, { what: 'the benchmark', next: 'lower --rows or --new-tokens' });
  await loadWeights(engine, model);
  if (lora) await initializeLora(engine, lora, 1);
  model.close();
  const { below } = random('bench', 1);
  const prompt = Int32Array.from({ length: promptLength }, () => below(readableTokens(config)));
  const sample = () =>
    generateTogether(engine, [prompt], {
      program,
      sampling: { ...greedy, temperature: 1 },
      answers,
      maxNewTokens: newTokens,
      stopIds: new Set(),
      seedsOf: (_, answer) => [answer],
    });
  await sample(); // warm-up
  const milliseconds: number[] = [];
  for (let repeat = 0; repeat < options.repeats; repeat++) {
    const start = performance.now();
    await sample();
    milliseconds.push(performance.now() - start);
  }
  let profile: OpTime[] = [];
  // Of its own, because measuring each launch takes time.
  if (options.profile) {
    engine.setProfiling(true);
    await sample();
    profile = opTimes(engine.takeProfile(), newTokens);
  }
  const { total, libraries } = plan.memory;
  await engine.dispose();
  const { median, spread } = timing(milliseconds);
  return {
    suite: 'rollouts',
    shape: basename(model.path),
    device: deviceName(device),
    dtype: weightType,
    quantization,
    activations: 'none',
    rows: answers,
    sequenceLen: promptLength,
    loraR,
    tokensPerSecond: ((answers * newTokens) / median) * 1000,
    msPerStep: median / newTokens,
    spread,
    peakGb: device.kind === 'cuda' ? (total + libraries) / 1e9 : peakGigabytes(),
    newTokens,
    ...(options.profile && { profile }),
  };
}
