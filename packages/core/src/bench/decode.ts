import { basename } from 'node:path';
import type { Device } from '@anneal/kernels';
import { baseProgram, openDecodeEngine } from '../generate/decodeEngine.ts';
import { generate } from '../generate/generate.ts';
import { greedy } from '../generate/sample.ts';
import { readableTokens } from '../models/config.ts';
import type { OpenModel } from '../models/model.ts';
import type { Quantization } from '../models/nf4.ts';
import { random } from '../random.ts';
import { type BenchRow, deviceName, peakGigabytes, timing } from './row.ts';

export interface DecodeBenchOptions {
  readonly model: OpenModel;
  readonly device: Device;
  readonly weightType: 'f32' | 'bf16';
  readonly quantization: Quantization;
  readonly promptLength: number;
  readonly newTokens: number;
  readonly repeats: number;
}

/** Reading a prompt, and answering it token by token, batch 1: two rows. Closes the model. */
export async function benchDecode(options: DecodeBenchOptions): Promise<BenchRow[]> {
  const { model, device, weightType, quantization, promptLength, newTokens } = options;
  const contextLength = promptLength + newTokens;
  const engine = await openDecodeEngine(model, {
    device,
    weightType,
    quantization,
    contextLength,
    promptChunk: promptLength,
  });
  model.close();
  const { below } = random('bench', 1);
  const prompt = Int32Array.from({ length: promptLength }, () => below(readableTokens(model.config)));
  const reading: number[] = [];
  const decoding: number[] = [];
  for (let repeat = 0; repeat <= options.repeats; repeat++) {
    const start = performance.now();
    let first = 0;
    const how = {
      program: baseProgram,
      sampling: greedy,
      maxNewTokens: newTokens,
      stopIds: new Set<number>(),
      seed: 1,
    };
    for await (const _ of generate(engine, prompt, how)) first ||= performance.now();
    if (repeat === 0) continue; // warm-up
    reading.push(first - start);
    decoding.push((performance.now() - first) / (newTokens - 1));
  }
  const { total, libraries } = engine.plan.memory;
  await engine.dispose();
  const row = (suite: string, tokens: number, milliseconds: readonly number[]): BenchRow => {
    const { median, spread } = timing(milliseconds);
    return {
      suite,
      shape: basename(model.path),
      device: deviceName(device),
      dtype: weightType,
      quantization,
      activations: 'none',
      rows: 1,
      sequenceLen: promptLength,
      tokensPerSecond: (tokens / median) * 1000,
      msPerStep: median,
      spread,
      peakGb: device.kind === 'cuda' ? (total + libraries) / 1e9 : peakGigabytes(),
      newTokens,
    };
  };
  return [row('prompt', promptLength, reading), row('decode', 1, decoding)];
}
