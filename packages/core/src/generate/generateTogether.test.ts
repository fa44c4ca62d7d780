import { compile, cpuDevice, Engine, Variables } from '@anneal/kernels';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type GoldenModel, goldenModel } from '../../test/fixtures.ts';
import { loadWeights } from '../models/load.ts';
import { nf4Forms } from '../models/nf4.ts';
import { generate } from './generate.ts';
import { generateTogether, recurringSize, rowsTogether } from './generateTogether.ts';
import { logitsAfter } from './nextToken.ts';
import { decodeProgram } from './programs.ts';
import { greedy } from './sample.ts';

const device = cpuDevice({ threads: 2 });
// The second has more tokens than a chunk of the layers that carry a state.
const prompts = [[12], Array.from({ length: 70 }, (_, i) => 20 + i), [5, 6, 7, 8, 9, 10, 11]].map((ids) =>
  Int32Array.from(ids),
);
const answers = 3;
const maxNewTokens = 20;
const tokens = prompts.reduce((sum, { length }) => sum + length, 0);

/** With a program for one answer at a time, and one for several; `chooses`: programs give the next tokens. */
async function openEngine(name: GoldenModel, { chooses = false } = {}): Promise<Engine> {
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
  const states = prompts.length * answers;
  const options = { config, weights, activationType: 'f32', states, chooses } as const;
  const contextLength = rowsTogether(tokens, { answers: prompts.length * answers, maxNewTokens });
  const plan = compile(
    [
      decodeProgram('alone', variables, { ...options, contextLength }),
      decodeProgram('together', variables, { ...options, contextLength, several: true }),
    ],
    // The last prompt does not fit into the first call.
    { bounds: { T: 77, N: prompts.length * answers, C: prompts.length * answers }, activations: 'keep', device },
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

function expectNear(logits: Float32Array, expected: Float32Array | undefined): void {
  expect(logits).toHaveLength(expected?.length ?? -1);
  logits.forEach((value, i) => expect(Math.abs(value - (expected?.[i] as number))).toBeLessThan(1e-5));
}

const carrying = ['lfm2', 'qwen3.5', 'qwen3.5-moe', 'granite4-h'] as const;

describe.each(['llama3', 'qwen3', 'mistral', 'gemma3-mixed', 'smollm3', ...carrying] as const)('%s', (name) => {
  test('says to several prompts at once what it says to each', async () => {
    const engine = await openEngine(name);
    for (const temperature of [0, 1]) {
      const sampling = { ...greedy, temperature };
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
        for (const [a, text] of texts.entries())
          expect(text).toEqual(await alone(engine, prompt, sampling, 100 * p + a));
        expect(new Set(texts.map(String)).size).toBe(temperature === 0 ? 1 : answers);
      }
    }
  });
});

describe.each(carrying)('%s', (name) => {
  test('has the same logits after prompts that are read together, and after their states are copied', async () => {
    const engine = await openEngine(name);
    const [short, long] = prompts as [Int32Array, Int32Array];
    const read = (program: string, ids: Int32Array, positions: Int32Array, more: object) => {
      const inputs = { tokens: ids, positions, ...more };
      const rows = (inputs as { rows?: Int32Array }).rows as Int32Array;
      return logitsAfter(engine, { program, extents: { T: ids.length, N: rows.length }, inputs });
    };
    const expected: Float32Array[][] = [];
    for (const prompt of [short, long]) {
      const [first] = await read('alone', prompt, Int32Array.from(prompt.keys()), {
        rows: Int32Array.of(prompt.length - 1),
      });
      const begun = Float32Array.from(first as Float32Array);
      const [next] = await read('alone', Int32Array.of(3), Int32Array.of(prompt.length), { rows: Int32Array.of(0) });
      expected.push([begun, Float32Array.from(next as Float32Array)]);
    }
    const both = Int32Array.of(...short, ...long);
    const begun = await read('together', both, Int32Array.of(...short.keys(), ...long.keys()), {
      sequences: Int32Array.of(0, 0, short.length, 0, short.length, short.length, long.length, 0),
      // Of the answers to the long prompt the last one goes on.
      slots: Int32Array.of(0, 2, 1, short.length, 4, 5),
      rows: Int32Array.of(short.length - 1, both.length - 1),
    });
    begun.forEach((logits, i) => expectNear(logits, expected[i]?.[0]));
    const next = await read('together', Int32Array.of(3, 3), Int32Array.of(short.length, long.length), {
      sequences: Int32Array.of(0, 0, short.length, both.length, 1, short.length, long.length, both.length + 1),
      slots: Int32Array.of(0, 2, 1, 1, 8, 1),
      rows: Int32Array.of(0, 1),
    });
    next.forEach((logits, i) => expectNear(logits, expected[i]?.[1]));
  });

  test.each([
    ['two sequences in one slot', [0, 2, 2, 1, 3, 1]],
    ['a slot beyond the last', [0, 0, 1, 1, 8, 2]],
    ['a sequence without tokens', [0, 0, 1, 0, 1, 1]],
  ])('refuses %s', async (_, slots) => {
    const engine = await openEngine(name);
    const call = {
      program: 'together',
      extents: { T: 2, N: 2 },
      inputs: {
        tokens: Int32Array.of(3, 4),
        positions: Int32Array.of(0, 0),
        sequences: Int32Array.of(0, 0, 1, 0, 1, 1, 1, 0),
        slots: Int32Array.from(slots),
        rows: Int32Array.of(0, 1),
      },
    };
    await expect(logitsAfter(engine, call)).rejects.toThrow(/sequences do not divide|slots of states/);
  });
});

const seedsOf = (prompt: number, answer: number): readonly number[] => [prompt, answer];

test('tokens that the device chooses are those that are chosen from its logits', async () => {
  const [here, there] = await Promise.all([openEngine('llama3'), openEngine('llama3', { chooses: true })]);
  const [prompt] = prompts as [Int32Array];
  for (const sampling of [
    greedy,
    { ...greedy, temperature: 0.7 },
    { ...greedy, temperature: 1, repetitionPenalty: 1.3 },
    { ...greedy, temperature: 1, minP: 0.1 },
    { ...greedy, temperature: 2, topK: 20, topP: 0.9, minP: 0.05 },
  ]) {
    expect(await alone(there, prompt, sampling, 5)).toEqual(await alone(here, prompt, sampling, 5));
    const how = { program: 'together', sampling, answers, maxNewTokens, stopIds: new Set<number>(), seedsOf };
    expect(await generateTogether(there, prompts, how)).toEqual(await generateTogether(here, prompts, how));
  }
});

test.each(['llama3', ...carrying] as const)(
  '%s: an answer ends with a stop token, and the others go on',
  async (name) => {
    const engine = await openEngine(name);
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
  },
);

test.each(['llama3', ...carrying] as const)(
  '%s: on a GPU answers that have ended fill up calls, and change nothing',
  async (name) => {
    const [here, there] = await Promise.all([openEngine(name), openEngine(name, { chooses: true })]);
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
  },
);

test('calls have one of few numbers of answers', () => {
  expect(Array.from({ length: 13 }, (_, i) => recurringSize(i + 1))).toEqual([
    1, 2, 3, 4, 6, 6, 8, 8, 12, 12, 12, 12, 16,
  ]);
});
