import { casesFor, type Fill, scaled } from '../../src/cases/casesFor.ts';
import { roundToBf16 } from '../../src/cases/numbers.ts';
import { bf16Roundoff, type Values } from '../../src/cases/values.ts';
import type { AttentionOptions } from '../attention/op.ts';
import { score, softmax } from '../attention/reference.ts';
import { attentionCachedOp, cacheWriteOp } from './op.ts';

function from(start: number): Fill<string> {
  return () => (i) => start + i;
}

/** One of several sequences of a call, as `sequences` describes it. */
interface Sequence {
  readonly start: number;
  readonly tokens: number;
  readonly promptRow: number;
  readonly promptTokens: number;
  readonly answerRow: number;
}

/** Two answers to a prompt of 150 tokens, one of them after its first token, and a prompt that is read. */
const beside: readonly Sequence[] = [
  { start: 150, tokens: 1, promptRow: 0, promptTokens: 150, answerRow: 170 },
  { start: 437, tokens: 1, promptRow: 0, promptTokens: 150, answerRow: 180 },
  { start: 0, tokens: 9, promptRow: 480, promptTokens: 9, answerRow: 489 },
];
const cacheRows = 500;

function fillOf(sequences: readonly Sequence[]): { positions: Fill<string>; sequences: Fill<string> } {
  const positions = sequences.flatMap(({ start, tokens }) => Array.from({ length: tokens }, (_, i) => start + i));
  let first = 0;
  const described = sequences.flatMap(({ tokens, promptRow, promptTokens, answerRow }) => {
    first += tokens;
    return [first - tokens, promptRow, promptTokens, answerRow];
  });
  return { positions: () => (i) => positions[i] ?? 0, sequences: () => (i) => described[i] ?? 0 };
}

const tokensOf = (sequences: readonly Sequence[]): number => sequences.reduce((sum, { tokens }) => sum + tokens, 0);

type Places = Readonly<Record<'positions' | 'sequences', Values>>;

/** The row of the cache that holds this position of a token's sequence. */
function rowOf({ sequences }: Places, sequenceCount: number, token: number, position: number): number {
  if (sequenceCount === 0) return position;
  let n = sequenceCount - 1;
  while (sequences.at(n, 0) > token) n--;
  const [promptRow, promptTokens, answerRow] = [sequences.at(n, 1), sequences.at(n, 2), sequences.at(n, 3)];
  return position < promptTokens ? promptRow + position : answerRow + position - promptTokens;
}

export const cacheWriteCases = casesFor(cacheWriteOp, {
  shapes: [],
  hard: {
    'first token': { extents: { T: 1, K: 1, L: 1 }, fill: { positions: from(0) }, optional: [] },
    'in the middle': { extents: { T: 3, K: 33, L: 9 }, fill: { positions: from(4) }, optional: [] },
    'up to the end': { extents: { T: 5, K: 64, L: 8 }, fill: { positions: from(3) }, optional: [] },
    'huge and tiny values': {
      extents: { T: 2, K: 7, L: 2 },
      fill: { positions: from(0), x: scaled(1e30) },
      optional: [],
    },
    'sequences beside each other': {
      extents: { T: tokensOf(beside), K: 33, L: cacheRows, N: beside.length },
      fill: fillOf(beside),
      optional: ['sequences'],
    },
  },
  benchmark: [{ extents: { T: 512, K: 192, L: 2048 }, fill: { positions: from(0) } }],
  reference: ({ x, cache, ...places }, { written }, { extents: { T = 0, K = 0, L = 0, N = 0 }, dtypes }) => {
    const sequences = dtypes.sequences ? N : 0;
    const tokenAt = new Map(
      Array.from({ length: T }, (_, t) => [rowOf(places, sequences, t, places.positions.at(t)), t] as const),
    );
    for (let row = 0; row < L; row++) {
      const token = tokenAt.get(row);
      for (let c = 0; c < K; c++) {
        const value = token === undefined ? cache.at(row, c) : x.at(token, c);
        written.add(row, c, dtypes.cache === 'bf16' ? roundToBf16(value) : value);
      }
    }
  },
});

interface Context {
  readonly tokens: number;
  readonly start: number;
  readonly cache: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly window?: number;
  readonly softCap?: number;
}

function context({ tokens, start, cache, heads, kvHeads, headSize, window = 0, softCap = 0 }: Context) {
  return {
    extents: { T: tokens, L: cache, Q: heads * headSize, K: kvHeads * headSize, H: heads },
    attributes: {
      heads,
      kvHeads,
      headSize,
      window,
      softCap,
      scale: 1 / Math.sqrt(headSize),
    } satisfies AttentionOptions,
    fill: { positions: from(start) },
    optional: [],
  };
}

function sunk(one: ReturnType<typeof context>) {
  return { ...one, optional: ['sinks'] as const };
}

/** The same for several sequences of one cache. */
function contexts(sequences: readonly Sequence[], shape: Omit<Context, 'tokens' | 'start' | 'cache'>) {
  const one = context({ tokens: tokensOf(sequences), start: 0, cache: cacheRows, ...shape });
  const extents = { ...one.extents, N: sequences.length };
  return { ...one, extents, fill: fillOf(sequences), optional: ['sequences'] as const };
}

const small = { heads: 4, kvHeads: 2, headSize: 8 };

export const attentionCachedCases = casesFor(attentionCachedOp, {
  shapes: [],
  hard: {
    'first token': context({ tokens: 1, start: 0, cache: 1, heads: 1, kvHeads: 1, headSize: 1 }),
    'next token': context({ tokens: 1, start: 150, cache: 200, ...small }),
    prompt: context({ tokens: 110, start: 0, cache: 128, ...small }),
    'second part of a prompt': context({ tokens: 20, start: 120, cache: 140, ...small }),
    'sliding window': context({ tokens: 1, start: 99, cache: 100, ...small, window: 10 }),
    'window over two parts': context({ tokens: 12, start: 100, cache: 112, ...small, window: 5 }),
    'window larger than the context': context({ tokens: 4, start: 3, cache: 10, ...small, window: 64 }),
    'next token under a soft cap': context({ tokens: 1, start: 300, cache: 310, ...small, softCap: 1.5 }),
    'prompt under a soft cap': context({ tokens: 70, start: 5, cache: 80, ...small, window: 40, softCap: 3 }),
    'next token of heads in groups of six': context({
      tokens: 1,
      start: 150,
      cache: 160,
      heads: 12,
      kvHeads: 2,
      headSize: 96,
    }),
    'next token of wide heads': context({ tokens: 1, start: 99, cache: 100, heads: 2, kvHeads: 1, headSize: 256 }),
    'next token of heads of 512': context({ tokens: 1, start: 99, cache: 100, heads: 3, kvHeads: 1, headSize: 512 }),
    'prompt of heads of 512': context({ tokens: 40, start: 30, cache: 80, heads: 2, kvHeads: 1, headSize: 512 }),
    'prompt of heads of 192': context({ tokens: 40, start: 30, cache: 80, heads: 2, kvHeads: 2, headSize: 192 }),
    'next token of heads of 192': context({ tokens: 1, start: 99, cache: 100, heads: 2, kvHeads: 2, headSize: 192 }),
    'sequences beside each other': contexts(beside, small),
    'sequences of heads as in SmolLM2': contexts(beside, { heads: 3, kvHeads: 1, headSize: 64 }),
    'sequences with a window': contexts(beside, { ...small, window: 200 }),
    'sequences with a short window under a soft cap': contexts(beside, { ...small, window: 3, softCap: 1.5 }),
    'sequences of heads of 512 in groups of five': contexts(beside, { heads: 5, kvHeads: 1, headSize: 512 }),
    'sequences of heads of 128 in groups of eight': contexts(beside, { heads: 16, kvHeads: 2, headSize: 128 }),
    'sequences of heads of 128 with a window under a soft cap': contexts(beside, {
      heads: 12,
      kvHeads: 1,
      headSize: 128,
      window: 200,
      softCap: 1.5,
    }),
    'sequences of heads of 256 in groups of four': contexts(beside, { heads: 8, kvHeads: 2, headSize: 256 }),
    'sequences of heads of 256 with a window under a soft cap': contexts(beside, {
      heads: 4,
      kvHeads: 2,
      headSize: 256,
      window: 200,
      softCap: 1.5,
    }),
    'sequences with a short window of heads of 64': contexts(beside, { heads: 4, kvHeads: 2, headSize: 64, window: 3 }),
    'one of several sequences': contexts(beside.slice(1, 2), { heads: 9, kvHeads: 3, headSize: 64 }),
    'sink, first token': sunk(context({ tokens: 1, start: 0, cache: 1, heads: 1, kvHeads: 1, headSize: 1 })),
    'sinks, next token of a long context': sunk(context({ tokens: 1, start: 900, cache: 910, ...small })),
    'sinks, prompt with a window': sunk(context({ tokens: 110, start: 10, cache: 128, ...small, window: 30 })),
    'sinks, prompt of heads of 64': sunk(context({ tokens: 70, start: 10, cache: 96, ...small, headSize: 64 })),
    'sinks, next token of heads of 64': sunk(context({ tokens: 1, start: 150, cache: 160, ...small, headSize: 64 })),
    'sinks, sequences beside each other': {
      ...contexts(beside, { ...small, window: 200 }),
      optional: ['sequences', 'sinks'],
    },
    'sinks, sequences of heads of 64': {
      ...contexts(beside, { heads: 4, kvHeads: 2, headSize: 64, window: 200 }),
      optional: ['sequences', 'sinks'],
    },
    'as in SmolLM2': context({ tokens: 3, start: 61, cache: 64, heads: 9, kvHeads: 3, headSize: 64 }),
  },
  benchmark: [
    ...[
      { heads: 9, kvHeads: 3, headSize: 64 },
      { heads: 32, kvHeads: 8, headSize: 128 },
    ].map((shape) =>
      contexts(
        Array.from({ length: 16 }, (_, i) => {
          return { start: 450, tokens: 1, promptRow: 0, promptTokens: 434, answerRow: cacheRows - 17 - (i % 2) };
        }),
        shape,
      ),
    ),
    context({ tokens: 1, start: 511, cache: 512, heads: 9, kvHeads: 3, headSize: 64 }),
    context({ tokens: 1, start: 4095, cache: 4096, heads: 9, kvHeads: 3, headSize: 64 }),
    context({ tokens: 512, start: 0, cache: 512, heads: 9, kvHeads: 3, headSize: 64 }),
  ],
  reference: (
    { q, keys, values, sinks, ...places },
    { out },
    { extents: { T = 0, N = 0 }, attributes: options, activationType, dtypes },
  ) => {
    const { heads, kvHeads, headSize, window } = options;
    const sequences = dtypes.sequences ? N : 0;
    for (let i = 0; i < T; i++) {
      const position = places.positions.at(i);
      const first = window > 0 ? Math.max(0, position - window + 1) : 0;
      const rows = Array.from({ length: position - first + 1 }, (_, j) => rowOf(places, sequences, i, first + j));
      for (let h = 0; h < heads; h++) {
        const column = Math.floor(h / (heads / kvHeads)) * headSize;
        const scores = rows.map((row) => score(q, i, keys, row, h, options));
        const { weights, sizes } = softmax(scores, dtypes.sinks && sinks.at(h));
        weights.forEach((weight, j) => {
          for (let c = 0; c < headSize; c++) {
            const value = values.at(rows[j] as number, column + c);
            out.add(i, h * headSize + c, weight * value, (sizes[j] as number) * Math.abs(value));
            // Kernels may round weights for a product in bfloat16.
            if (activationType === 'bf16') out.allow(i, h * headSize + c, bf16Roundoff * weight * Math.abs(value));
          }
        });
      }
    }
  },
});
