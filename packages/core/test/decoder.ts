/** A model loaded for decoding alone: token ids in, token ids and logits out. */
import { cpuDevice, type Device } from '@anneal/kernels';
import { onTestFinished } from 'vitest';
import { baseProgram, openDecodeEngine } from '../src/generate/decodeEngine.ts';
import { type GenerateOptions, generate } from '../src/generate/generate.ts';
import { greedy } from '../src/generate/sample.ts';
import { openModel } from '../src/models/open.ts';

export interface DecoderOptions {
  readonly contextLength: number;
  /** Most tokens read at once. */
  readonly chunk: number;
  readonly weightType?: 'f32' | 'bf16';
  readonly device?: Device;
}

export interface Decoder {
  readonly vocabSize: number;
  /** Of the last of `tokens`, which go to the cache from `start` on. */
  logits(tokens: ArrayLike<number>, start: number): Promise<Float32Array>;
  /** The stop token that ended it is the last. */
  generate(prompt: ArrayLike<number>, options?: Partial<Omit<GenerateOptions, 'program'>>): Promise<number[]>;
}

/** Freed when the test ends. */
export async function openDecoder(path: string, options: DecoderOptions): Promise<Decoder> {
  const { contextLength, chunk, weightType = 'f32', device = cpuDevice() } = options;
  const model = openModel(path);
  const engine = await openDecodeEngine(model, { device, weightType, contextLength, promptChunk: chunk });
  onTestFinished(() => engine.dispose());
  model.close();
  return {
    vocabSize: model.config.vocabSize,
    async logits(tokens, start) {
      const ids = Int32Array.from(tokens);
      const inputs = { tokens: ids, positions: ids.map((_, i) => start + i), rows: Int32Array.of(ids.length - 1) };
      const call = { program: baseProgram, extents: { T: ids.length, N: 1 }, inputs, results: ['logits'] };
      const { results } = await engine.run([call]);
      return results[0] as Float32Array;
    },
    async generate(prompt, how = {}) {
      const defaults = {
        program: baseProgram,
        sampling: greedy,
        maxNewTokens: 32,
        stopIds: new Set<number>(),
        seed: 0,
      };
      const ids: number[] = [];
      for await (const { id } of generate(engine, Int32Array.from(prompt), { ...defaults, ...how })) ids.push(id);
      return ids;
    },
  };
}
