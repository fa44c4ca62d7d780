import { compile, cpuDevice, Engine, Variables } from '@anneal/kernels';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type GoldenModel, goldenModel } from '../../test/fixtures.ts';
import { loadWeights } from '../models/load.ts';
import { nf4Forms } from '../models/nf4.ts';
import { generate } from './generate.ts';
import { generateInTurn, generateTogether, recurringSize, rowsTogether } from './generateTogether.ts';
import { decodeProgram } from './programs.ts';
import { greedy } from './sample.ts';

const device = cpuDevice({ threads: 2 });
const prompts = [
  [5, 6, 7, 8, 9, 10, 11],
  [12],
  [40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57],
].map((ids) => Int32Array.from(ids));
const answers = 3;
const maxNewTokens = 20;
const tokens = prompts.reduce((sum, { length }) => sum + length, 0);

/** With a program for one answer at a time, and one for several; `chooses`: as on a GPU, where programs give the next tokens. */
async function openEngine(name: GoldenModel, { chooses = false, together = true } = {}): Promise<Engine> {
  const model = goldenModel(name);
  const { config } = model;
  const variables = new Variables();
  const weights = {
    type: 'f32',
    nf4: nf4Forms(model, 'none'),
    trainable: false,
    lora: null,
    copies: false,
    dropoutSeed: null,
  } as const;
  const options = { config, weights, activationType: 'f32', chooses } as const;
  const contextLength = rowsTogether(tokens, { answers: prompts.length * answers, maxNewTokens });
  const plan = compile(
    [
      decodeProgram('alone', variables, { ...options, contextLength }),
      ...(together ? [decodeProgram('together', variables, { ...options, contextLength, several: true })] : []),
    ],
    // Not all prompts fit into one call.
    { bounds: { T: 20, N: prompts.length * answers, C: prompts.length * answers }, activations: 'keep', device },
  );
  const engine = new Engine(plan, device);
  onTestFinished(() => engine.dispose());
  await loadWeights(engine, model);
  return engine;
}

async function alone(engine: Engine, prompt: Int32Array, sampling: typeof greedy, seed: number, stop: number[] = []) {
  const ids: number[] = [];
  const options = { program: 'alone', sampling, maxNewTokens, stopIds: new Set(stop), seed };
  for await (const { id } of generate(engine, prompt, options)) ids.push(id);
  return ids;
}

describe.each(['llama3', 'qwen3', 'mistral', 'gemma3-mixed', 'smollm3'] as const)('%s', (name) => {
  test('says to several prompts at once what it says to each', async () => {
    const engine = await openEngine(name);
    const sampling = { ...greedy, temperature: 1 };
    const together = await generateTogether(engine, prompts, {
      program: 'together',
      sampling,
      answers,
      maxNewTokens,
      stopIds: new Set(),
      seedsOf: (prompt, answer) => [100 * prompt + answer],
    });
    for (const [p, prompt] of prompts.entries()) {
      const texts = together[p]?.map(({ ids }) => Array.from(ids)) ?? [];
      expect(texts).toHaveLength(answers);
      for (const [a, text] of texts.entries()) expect(text).toEqual(await alone(engine, prompt, sampling, 100 * p + a));
      expect(new Set(texts.map(String)).size).toBe(answers);
    }
  });
});

const seedsOf = (prompt: number, answer: number): readonly number[] => [prompt, answer];

test.each(['lfm2', 'qwen3.5', 'granite4-h'] as const)(
  '%s: answers in turn are those to each prompt alone',
  async (name) => {
    const engine = await openEngine(name, { together: false });
    const sampling = { ...greedy, temperature: 1 };
    const how = {
      program: 'alone',
      sampling,
      answers: 2,
      maxNewTokens,
      seedsOf: (p: number, a: number) => [100 * p + a],
    };
    const free = await generateInTurn(engine, prompts, { ...how, stopIds: new Set() });
    const stop = free[1]?.[1]?.ids[4] as number;
    const inTurn = await generateInTurn(engine, prompts, { ...how, stopIds: new Set([stop]) });
    expect(inTurn[1]?.[1]?.ended).toBe(true);
    for (const [p, prompt] of prompts.entries()) {
      expect(inTurn[p]).toHaveLength(2);
      for (const [a, { ids, ended }] of (inTurn[p] ?? []).entries()) {
        expect(Array.from(ids)).toEqual(await alone(engine, prompt, sampling, 100 * p + a, [stop]));
        expect(ended).toBe(ids.at(-1) === stop);
      }
      expect(free[p]?.[0]?.ids).not.toEqual(free[p]?.[1]?.ids);
      expect(free[p]?.every(({ ids, ended }) => ids.length === maxNewTokens && !ended)).toBe(true);
    }
  },
);

test('tokens that the device chooses are those that are chosen from its logits', async () => {
  const [here, there] = await Promise.all([openEngine('llama3'), openEngine('llama3', { chooses: true })]);
  const [prompt] = prompts as [Int32Array];
  for (const sampling of [
    greedy,
    { ...greedy, temperature: 0.7 },
    { ...greedy, temperature: 1, repetitionPenalty: 1.3 },
  ]) {
    expect(await alone(there, prompt, sampling, 5)).toEqual(await alone(here, prompt, sampling, 5));
    const how = { program: 'together', sampling, answers, maxNewTokens, stopIds: new Set<number>(), seedsOf };
    expect(await generateTogether(there, prompts, how)).toEqual(await generateTogether(here, prompts, how));
  }
  const filtered = { ...greedy, temperature: 2, topK: 20, topP: 0.9, minP: 0.05 };
  const answer = await alone(there, prompt, filtered, 5);
  expect(answer).toHaveLength(maxNewTokens);
  expect(await alone(there, prompt, filtered, 5)).toEqual(answer);
});

test('an answer ends with a stop token, and the others go on', async () => {
  const engine = await openEngine('llama3');
  const free = await Promise.all(prompts.slice(0, 1).map((prompt) => alone(engine, prompt, greedy, 1)));
  const stop = free[0]?.[4] as number;
  const [[first] = [], [second] = []] = await generateTogether(engine, prompts.slice(0, 2), {
    program: 'together',
    sampling: greedy,
    answers: 1,
    maxNewTokens,
    stopIds: new Set([stop]),
    seedsOf: () => [1],
  });
  expect(Array.from(first?.ids ?? [])).toEqual(free[0]?.slice(0, 1 + (free[0]?.indexOf(stop) ?? 0)));
  expect(first?.ended).toBe(true);
  const other = await alone(engine, prompts[1] as Int32Array, greedy, 1, [stop]);
  expect(Array.from(second?.ids ?? [])).toEqual(other);
  expect(second?.ended).toBe(other.at(-1) === stop);
});

test('on a GPU answers that have ended fill up calls, and change nothing', async () => {
  const [here, there] = await Promise.all([openEngine('llama3'), openEngine('llama3', { chooses: true })]);
  const sampling = { ...greedy, temperature: 1 };
  const endless = { program: 'together', sampling, answers, maxNewTokens, stopIds: new Set<number>(), seedsOf };
  const [free = []] = await generateTogether(here, prompts.slice(0, 1), endless);
  const how = { ...endless, stopIds: new Set(free.map(({ ids }, answer) => ids[3 * answer + 1] as number)) };
  const expected = await generateTogether(here, prompts, how);
  expect(new Set(expected.flat().map(({ ids }) => ids.length)).size).toBeGreaterThan(2);
  const sizes: unknown[] = [];
  const run = there.run.bind(there);
  Object.assign(there, {
    device: { ...device, kind: 'cuda' },
    run: (calls: Parameters<typeof run>[0]) => {
      sizes.push(...calls.map(({ extents: { T, N, C } }) => (T === N ? `${N} ${C}` : 'prompts')));
      return run(calls);
    },
  });
  expect(await generateTogether(there, prompts, how)).toEqual(expected);
  const often = ['9 9', '8 8', '6 6', '4 4', '3 3', '2 2', '1 1', 'prompts'];
  expect(sizes.filter((size) => !often.includes(size as string))).toEqual([]);
});

test('calls have one of few numbers of answers', () => {
  expect(Array.from({ length: 13 }, (_, i) => recurringSize(i + 1))).toEqual([
    1, 2, 3, 4, 6, 6, 8, 8, 12, 12, 12, 12, 16,
  ]);
});
