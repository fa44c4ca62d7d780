import { casesFor, type Fill, scaled } from '../../src/cases/casesFor.ts';
import { roundToBf16 } from '../../src/cases/numbers.ts';
import { bf16Roundoff } from '../../src/cases/values.ts';
import type { AttentionOptions } from '../attention/op.ts';
import { score, softmax } from '../attention/reference.ts';
import { attentionCachedOp, cacheWriteOp } from './op.ts';

function from(start: number): Fill<string> {
  return () => (i) => start + i;
}

export const cacheWriteCases = casesFor(cacheWriteOp, {
  shapes: [],
  hard: {
    'first token': { extents: { T: 1, K: 1, L: 1 }, fill: { positions: from(0) } },
    'in the middle': { extents: { T: 3, K: 33, L: 9 }, fill: { positions: from(4) } },
    'up to the end': { extents: { T: 5, K: 64, L: 8 }, fill: { positions: from(3) } },
    'huge and tiny values': { extents: { T: 2, K: 7, L: 2 }, fill: { positions: from(0), x: scaled(1e30) } },
  },
  benchmark: [{ extents: { T: 512, K: 192, L: 2048 }, fill: { positions: from(0) } }],
  reference: ({ x, cache, positions }, { written }, { extents: { T = 0, K = 0, L = 0 }, dtypes }) => {
    const start = positions.at(0);
    for (let row = 0; row < L; row++) {
      const isNew = row >= start && row < start + T;
      for (let c = 0; c < K; c++) {
        const value = isNew ? x.at(row - start, c) : cache.at(row, c);
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
    extents: { T: tokens, L: cache, Q: heads * headSize, K: kvHeads * headSize },
    attributes: {
      heads,
      kvHeads,
      headSize,
      window,
      softCap,
      scale: 1 / Math.sqrt(headSize),
    } satisfies AttentionOptions,
    fill: { positions: from(start) },
  };
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
    'as in SmolLM2': context({ tokens: 3, start: 61, cache: 64, heads: 9, kvHeads: 3, headSize: 64 }),
  },
  benchmark: [
    context({ tokens: 1, start: 511, cache: 512, heads: 9, kvHeads: 3, headSize: 64 }),
    context({ tokens: 1, start: 4095, cache: 4096, heads: 9, kvHeads: 3, headSize: 64 }),
    context({ tokens: 512, start: 0, cache: 512, heads: 9, kvHeads: 3, headSize: 64 }),
  ],
  reference: ({ q, keys, values, positions }, { out }, { extents: { T = 0 }, attributes: options, activationType }) => {
    const { heads, kvHeads, headSize, window } = options;
    for (let i = 0; i < T; i++) {
      const position = positions.at(i);
      const first = window > 0 ? Math.max(0, position - window + 1) : 0;
      for (let h = 0; h < heads; h++) {
        const column = Math.floor(h / (heads / kvHeads)) * headSize;
        const scores = Array.from({ length: position - first + 1 }, (_, j) => score(q, i, keys, first + j, h, options));
        const { weights, sizes } = softmax(scores);
        weights.forEach((weight, j) => {
          for (let c = 0; c < headSize; c++) {
            const value = values.at(first + j, column + c);
            out.add(i, h * headSize + c, weight * value, (sizes[j] as number) * Math.abs(value));
            // Kernels may round weights for a product in bfloat16.
            if (activationType === 'bf16') out.allow(i, h * headSize + c, bf16Roundoff * weight * Math.abs(value));
          }
        });
      }
    }
  },
});
