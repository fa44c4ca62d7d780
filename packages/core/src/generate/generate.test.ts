import { addon, cpuDevice } from '@anneal/kernels';
import { describe, expect, test } from 'vitest';
import { openDecoder } from '../../test/decoder.ts';
import { goldenModels, goldenPath, temporaryFolder, writeTinyModel } from '../../test/fixtures.ts';
import { openGolden } from '../verify/golden.ts';
import { type AnswerPiece, openAnswerer } from './answerer.ts';
import { greedy } from './sample.ts';

const sampling = { ...greedy, temperature: 1.5 };

/** First sequence of the golden batch and its logits [48, V], from a forward pass over all of it at once. */
function reference(name: string) {
  const golden = openGolden(goldenPath(name));
  const [, length = 0] = golden.shape('input_ids');
  const tokens = golden.int32('input_ids').slice(0, length);
  const [, , size = 0] = golden.shape('logits');
  const logits = golden.float32('logits').slice(0, length * size);
  golden.close();
  return { tokens, logits: (position: number) => logits.subarray(position * size, (position + 1) * size) };
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - (b[i] as number))), 0);
}

const llama3 = () => openDecoder(goldenPath('llama3'), { contextLength: 40, chunk: 3 });

describe.each([
  ...goldenModels,
  'lfm2',
  'granite4-h',
  'qwen3.5',
  'deepseek-v3',
  'gemma4',
  'gemma4-moe',
  'gemma3n',
  'granite4-moe',
] as const)('%s', (name) => {
  const { tokens, logits } = reference(name);

  test.each(addon().instructionSets())('decodes what a whole forward pass computes, on %s', async (isa) => {
    const device = cpuDevice({ isa, threads: 2 });
    const decoder = await openDecoder(goldenPath(name), { contextLength: 64, chunk: 1, device });
    for (const [position, token] of tokens.entries()) {
      expect(largestDifference(await decoder.logits([token], position), logits(position))).toBeLessThan(1e-4);
    }
  });

  test.each([1, 5, 16, 17, 48, 64])('reads a prompt by %i tokens', async (chunk) => {
    const decoder = await openDecoder(goldenPath(name), { contextLength: 64, chunk });
    for (let start = 0; start < tokens.length; start += chunk) {
      const piece = tokens.subarray(start, start + chunk);
      const last = start + piece.length - 1;
      expect(largestDifference(await decoder.logits(piece, start), logits(last))).toBeLessThan(1e-4);
    }
    const whole = await openDecoder(goldenPath(name), { contextLength: 64, chunk: 64 });
    const prompt = tokens.subarray(0, 30);
    expect(await decoder.generate(prompt, { maxNewTokens: 34 })).toEqual(
      await whole.generate(prompt, { maxNewTokens: 34 }),
    );
  });

  test('in bfloat16 stays close to float32', async () => {
    const options = { contextLength: 64, chunk: 7, weightType: 'bf16' } as const;
    const decoder = await openDecoder(goldenPath(name), options);
    for (let start = 0; start < tokens.length; start += 7) {
      const piece = tokens.subarray(start, start + 7);
      const last = start + piece.length - 1;
      const spread = Math.max(...logits(last)) - Math.min(...logits(last));
      expect(largestDifference(await decoder.logits(piece, start), logits(last)) / spread).toBeLessThan(0.03);
    }
  });
});

describe('an answer', () => {
  const prompt = [5, 6, 7, 8];

  test('ends with a stop token, with the last token allowed, or with the context', async () => {
    const decoder = await llama3();
    const free = await decoder.generate(prompt, { maxNewTokens: 1000 });
    expect(free).toHaveLength(40 - prompt.length);
    expect(await decoder.generate(prompt, { maxNewTokens: 9 })).toEqual(free.slice(0, 9));
    const stop = free[6] as number;
    const until = free.slice(0, free.indexOf(stop) + 1);
    expect(await decoder.generate(prompt, { maxNewTokens: 20, stopIds: new Set([stop]) })).toEqual(until);
    expect(await decoder.generate(prompt, { maxNewTokens: 0 })).toEqual([]);
  });

  test('does not depend on what was answered before', async () => {
    const decoder = await llama3();
    const first = await decoder.generate(prompt);
    await decoder.generate([99, 98, 97, 96, 95, 94, 93]);
    expect(await decoder.generate(prompt)).toEqual(first);
  });

  test('is the same with the same seed', async () => {
    const decoder = await llama3();
    const first = await decoder.generate(prompt, { sampling, seed: 1 });
    expect(await decoder.generate(prompt, { sampling, seed: 1 })).toEqual(first);
    expect(await decoder.generate(prompt, { sampling, seed: 2 })).not.toEqual(first);
  });

  test('ends when it is cancelled', async () => {
    const decoder = await llama3();
    const cancelled = new AbortController();
    cancelled.abort();
    expect(await decoder.generate(prompt, { signal: cancelled.signal })).toEqual([]);
  });

  test('to a prompt that is empty, too long or of no token is refused', async () => {
    const decoder = await llama3();
    await expect(decoder.generate([])).rejects.toMatchObject({ code: 'prompt_empty' });
    await expect(decoder.generate(new Int32Array(40).fill(5))).rejects.toMatchObject({ code: 'prompt_too_long' });
    expect(await decoder.generate(new Int32Array(39).fill(5))).toHaveLength(1);
    await expect(decoder.generate([160])).rejects.toThrow('outside the vocabulary');
  });
});

describe('an answerer', () => {
  test('streams the text of its tokens, the end token left out', async () => {
    const path = writeTinyModel(temporaryFolder());
    const answerer = await openAnswerer({ modelPath: path, weightType: 'f32', contextLength: 1000 });
    expect(answerer.contextLength).toBe(512);
    const how = { sampling, maxNewTokens: 60, seed: 5 };
    const pieces: { text: string; tokens: number }[] = [];
    for await (const piece of answerer.answer([{ role: 'user', content: 'ant bee' }], how)) pieces.push(piece);
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.map(({ tokens }) => tokens)).toEqual(pieces.map((_, i) => i + 1));
    const decoder = await openDecoder(path, { contextLength: 512, chunk: 512 });
    const prompt = await answerer.text.tokenizer.encode('<|im_start|>user\nant bee<|im_end|>\n<|im_start|>assistant\n');
    const ids = await decoder.generate(prompt.ids, { ...how, stopIds: answerer.text.stopIds });
    const shown = ids.filter((id) => !answerer.text.stopIds.has(id));
    expect(pieces.map(({ text }) => text).join('')).toBe(await answerer.text.tokenizer.decode(shown));
    await answerer.close();
  });

  test('ends before a text to stop at, and tells what the model thought of each token', async () => {
    const answerer = await openAnswerer({
      modelPath: writeTinyModel(temporaryFolder()),
      weightType: 'f32',
      contextLength: 512,
    });
    const how = { sampling: greedy, maxNewTokens: 40, seed: 5 };
    const collect = async (options: Partial<Parameters<typeof answerer.answer>[1]>) => {
      const pieces: AnswerPiece[] = [];
      const messages = [{ role: 'user', content: 'ant bee' }];
      for await (const piece of answerer.answer(messages, { ...how, ...options })) pieces.push(piece);
      return { pieces, text: pieces.map(({ text }) => text).join('') };
    };
    const free = await collect({ topLogprobs: 3 });
    const stop = free.text.slice(9, 13);
    const stopped = await collect({ stop: ['never there', stop] });
    expect(stopped.text).toBe(free.text.slice(0, free.text.indexOf(stop)));
    expect(stopped.pieces.at(-1)).toMatchObject({ ended: true, token: null });
    expect(free.pieces).toHaveLength(40);
    for (const { text, token } of free.pieces) {
      expect(token?.text).toBe(text);
      // Greedy takes the likeliest, and three of them are not everything.
      expect(token?.top[0]).toMatchObject({ id: token?.id, logprob: token?.logprob });
      const share = (token?.top ?? []).reduce((sum, { logprob }) => sum + Math.exp(logprob), 0);
      expect(share).toBeGreaterThan(0);
      expect(share).toBeLessThan(1);
    }
    const drawn = await collect({ sampling, topLogprobs: 0, seed: 7 });
    expect(drawn.pieces.every(({ token }) => token !== null && token.top.length === 0 && token.logprob < 0)).toBe(true);
    await answerer.close();
  });
});
