import { casesFor, constant, type Fill, type NamedCase, normals, scaled } from '../../src/cases/casesFor.ts';
import { endsOf } from '../../src/cases/documents.ts';
import { bf16Roundoff, type Values } from '../../src/cases/values.ts';
import { type AttentionOptions, attentionBackwardOp, attentionOp } from './op.ts';
import { factor, operand, score, softmax, visibleKeys } from './reference.ts';

interface Heads {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly window?: number;
  readonly softCap?: number;
}

/** Documents of these lengths. */
function packed(lengths: readonly number[], { heads, kvHeads, headSize, window = 0, softCap = 0 }: Heads) {
  const ends = endsOf(lengths);
  return {
    extents: {
      T: ends.at(-1) as number,
      S: ends.length,
      Q: heads * headSize,
      K: kvHeads * headSize,
      H: heads,
    },
    attributes: { heads, kvHeads, headSize, window, softCap, scale: 1 / Math.sqrt(headSize), bf16: 0 },
    fill: { cuSeqlens: constant(...ends) },
  };
}

const small = { heads: 2, kvHeads: 1, headSize: 8 };
const layouts = {
  'one token': packed([1], { heads: 1, kvHeads: 1, headSize: 1 }),
  'odd head size': packed([5], { heads: 3, kvHeads: 3, headSize: 5 }),
  'single-token documents': packed([1, 1, 4, 1], small),
  'empty documents': packed([0, 3, 0, 0, 2, 0], small),
  'documents longer than a block': packed([130, 37, 99], { heads: 4, kvHeads: 2, headSize: 16 }),
  'sliding window': packed([45], { ...small, window: 7 }),
  'window of one key': packed([9], { ...small, window: 1 }),
  'window larger than its documents': packed([6, 11], { ...small, window: 64 }),
  'window longer than a block': packed([230], { ...small, window: 101 }),
  'nine heads share one': packed([20], { heads: 9, kvHeads: 1, headSize: 16 }),
  'as in SmolLM2': packed([40, 60], { heads: 9, kvHeads: 3, headSize: 64 }),
  'soft cap': packed([45, 3], { ...small, softCap: 1.5 }),
  'soft cap and window over blocks': packed([130, 37], { heads: 4, kvHeads: 2, headSize: 16, window: 50, softCap: 3 }),
  'head of 128, soft cap': packed([33], { heads: 2, kvHeads: 1, headSize: 128, softCap: 2 }),
  'head of 128': packed([33], { heads: 2, kvHeads: 1, headSize: 128, window: 20 }),
  'heads of 192 as in DeepSeek-V3': packed([70, 33], { heads: 2, kvHeads: 2, headSize: 192 }),
  'heads of 256 under a soft cap as in Gemma 2': packed([70, 33], {
    heads: 2,
    kvHeads: 1,
    headSize: 256,
    window: 40,
    softCap: 2,
  }),
  'heads of 512 as in Gemma 4': packed([70, 33], { heads: 3, kvHeads: 1, headSize: 512 }),
  'heads of 512, window': packed([50], { heads: 2, kvHeads: 2, headSize: 512, window: 20 }),
  'heads of 192, window': packed([50], { heads: 2, kvHeads: 1, headSize: 192, window: 20 }),
} satisfies Record<string, NamedCase<'q' | 'k' | 'v' | 'cuSeqlens', keyof AttentionOptions | 'bf16'>>;

function inBf16<C extends ReturnType<typeof packed>>(one: C): C {
  return { ...one, attributes: { ...one.attributes, bf16: 1 } };
}

const layoutsInBf16 = Object.fromEntries(
  Object.entries(layouts).map(([name, one]) => [`${name}, bf16`, inBf16(one)] as const),
);

const withoutSinks = (cases: Record<string, ReturnType<typeof packed>>) =>
  Object.fromEntries(Object.entries(cases).map(([name, one]) => [name, { ...one, optional: [] }]));

function sunk(one: ReturnType<typeof packed>, ...sinks: readonly number[]) {
  const fill = { ...one.fill, ...(sinks.length > 0 && { sinks: constant(...sinks) }) };
  return { ...one, fill, optional: ['sinks'] as const };
}

const withSinks = {
  'sink, one token': sunk(packed([1], { heads: 1, kvHeads: 1, headSize: 1 })),
  'sinks, documents longer than a block': sunk(packed([130, 37, 99], { heads: 4, kvHeads: 2, headSize: 16 })),
  'sinks, empty documents': sunk(packed([0, 3, 0, 0, 2, 0], small)),
  'sinks, window longer than a block': sunk(packed([230], { ...small, window: 101 })),
  'sinks, window of one key': sunk(packed([9], { ...small, window: 1 })),
  'sinks in bf16': sunk(inBf16(packed([130, 37], { heads: 4, kvHeads: 2, headSize: 16, window: 50 }))),
  // On a GPU each of these sizes has kernels of its own for bf16: attention.cu.
  'sinks, heads of 64 as in gpt-oss': sunk(packed([40, 150], { heads: 8, kvHeads: 1, headSize: 64, window: 128 })),
  'sinks, heads of 96': sunk(packed([33, 70], { heads: 2, kvHeads: 1, headSize: 96 })),
  'sinks, heads of 128': sunk(packed([33, 70], { heads: 2, kvHeads: 1, headSize: 128, window: 20 })),
  'sinks, heads of 192': sunk(packed([33, 70], { heads: 2, kvHeads: 1, headSize: 192 })),
  'sinks, heads of 256': sunk(packed([33, 5], { heads: 2, kvHeads: 1, headSize: 256 })),
  'sinks far above and far below scores of heads of 64': sunk(packed([70], { ...small, headSize: 64 }), 40, -40),
  'sinks far above and far below the scores': sunk(packed([12], small), 40, -40),
};

const benchmark = [
  packed([512], { heads: 9, kvHeads: 3, headSize: 64 }),
  packed([512], { heads: 16, kvHeads: 8, headSize: 128 }),
].flatMap((one) => [one, inBf16(one)]);

export const attentionCases = casesFor(attentionOp, {
  shapes: [],
  hard: {
    ...withoutSinks({ ...layouts, ...layoutsInBf16 }),
    ...withSinks,
    'huge scores': {
      ...packed([12, 3], small),
      optional: [],
      fill: { ...packed([12, 3], small).fill, q: scaled(1000) },
    },
    'equal scores': { ...packed([12], small), optional: [], fill: { ...packed([12], small).fill, k: constant(0) } },
  },
  benchmark,
  reference: (inputs, { out, lse }, { extents: { T = 0 }, attributes: options, activationType, dtypes }) => {
    const { heads, kvHeads, headSize, window } = options;
    const bf16 = activationType === 'bf16' ? 1 : options.bf16;
    const { cuSeqlens } = inputs;
    const [q, k, v] = [operand(inputs.q, bf16), operand(inputs.k, bf16), operand(inputs.v, bf16)];
    for (let i = 0; i < T; i++) {
      const { first, last } = visibleKeys(i, cuSeqlens, window);
      for (let h = 0; h < heads; h++) {
        const kvHead = Math.floor(h / (heads / kvHeads));
        const keys = Array.from({ length: last - first + 1 }, (_, j) => score(q, i, k, first + j, h, options));
        const { weights, sizes, logSumExp } = softmax(keys, dtypes.sinks && inputs.sinks.at(h));
        lse.add(h, i, logSumExp.value, logSumExp.size);
        weights.forEach((weight, j) => {
          for (let c = 0; c < headSize; c++) {
            const value = v.at(first + j, kvHead * headSize + c);
            out.add(i, h * headSize + c, weight * value, (sizes[j] as number) * Math.abs(value));
            // Weights are rounded before they are divided by their sum: to which value cannot be told here.
            if (bf16) out.allow(i, h * headSize + c, bf16Roundoff * weight * Math.abs(value));
          }
        });
      }
    }
  },
});

/** What the forward pass would give for the made q, k, v. */
function forward(name: 'out' | 'lse'): Fill<keyof AttentionOptions | 'bf16'> {
  return ({ made, extents, attributes }) => {
    const { cuSeqlens, ...inputs } = made as { q: Values; k: Values; v: Values; cuSeqlens: Values };
    const { T = 0, Q = 0 } = extents;
    const { heads, kvHeads, headSize, window, bf16 } = attributes;
    const [q, k, v] = [operand(inputs.q, bf16), operand(inputs.k, bf16), operand(inputs.v, bf16)];
    const out = new Float64Array(T * Q);
    const lse = new Float64Array(heads * T);
    for (let i = 0; i < T; i++) {
      const { first, last } = visibleKeys(i, cuSeqlens, window);
      for (let h = 0; h < heads; h++) {
        const column = Math.floor(h / (heads / kvHeads)) * headSize;
        const keys = Array.from({ length: last - first + 1 }, (_, j) => score(q, i, k, first + j, h, attributes));
        const { weights, logSumExp } = softmax(keys);
        lse[h * T + i] = logSumExp.value;
        for (let c = 0; c < headSize; c++)
          out[i * Q + h * headSize + c] = weights.reduce((sum, w, j) => sum + w * v.at(first + j, column + c), 0);
      }
    }
    const values = name === 'out' ? out : lse;
    return (index) => values[index] as number;
  };
}

export const attentionBackwardCases = casesFor(attentionBackwardOp, {
  shapes: [],
  fill: { out: forward('out'), lse: forward('lse') },
  hard: { ...layouts, ...layoutsInBf16 },
  benchmark: benchmark.map((one) => ({ ...one, fill: { ...one.fill, out: normals, lse: constant(6) } })),
  reference: (inputs, { dq, dk, dv }, { extents: { T = 0 }, attributes: options, activationType }) => {
    const { heads, kvHeads, headSize, scale, window } = options;
    const bf16 = activationType === 'bf16' ? 1 : options.bf16;
    const { cuSeqlens, out, lse } = inputs;
    const [q, k, v] = [operand(inputs.q, bf16), operand(inputs.k, bf16), operand(inputs.v, bf16)];
    const dout = operand(inputs.dout, bf16);
    for (let i = 0; i < T; i++) {
      const { first, last } = visibleKeys(i, cuSeqlens, window);
      for (let h = 0; h < heads; h++) {
        const [queryColumn, keyColumn] = [h * headSize, Math.floor(h / (heads / kvHeads)) * headSize];
        let delta = 0;
        let deltaSize = 0;
        for (let c = 0; c < headSize; c++) {
          const term = out.at(i, queryColumn + c) * dout.at(i, queryColumn + c);
          delta += term;
          deltaSize += Math.abs(term);
        }
        for (let j = first; j <= last; j++) {
          const { value, size, slope } = score(q, i, k, j, h, options);
          const weight = Math.exp(value - lse.at(h, i));
          const growth = 1 + size + Math.abs(lse.at(h, i));
          let dweight = 0;
          let dweightSize = 0;
          for (let c = 0; c < headSize; c++) {
            const term = dout.at(i, queryColumn + c) * v.at(j, keyColumn + c);
            dweight += term;
            dweightSize += Math.abs(term);
          }
          const weightFactor = factor(weight, weight * growth, bf16, activationType);
          // Next to the cap the slope is a small difference, as far off as its score.
          const dscoreSize = weight * (dweightSize + deltaSize) * growth;
          const dscore = factor(weight * (dweight - delta) * slope, dscoreSize, bf16, activationType);
          for (let c = 0; c < headSize; c++) {
            const [query, key] = [scale * q.at(i, queryColumn + c), scale * k.at(j, keyColumn + c)];
            const douti = dout.at(i, queryColumn + c);
            dq.add(i, queryColumn + c, dscore.value * key, dscoreSize * Math.abs(key));
            dk.add(j, keyColumn + c, dscore.value * query, dscoreSize * Math.abs(query));
            dv.add(j, keyColumn + c, weightFactor.value * douti, weight * growth * Math.abs(douti));
            dq.allow(i, queryColumn + c, dscore.otherRounding * Math.abs(key));
            dk.allow(j, keyColumn + c, dscore.otherRounding * Math.abs(query));
            dv.allow(j, keyColumn + c, weightFactor.otherRounding * Math.abs(douti));
          }
        }
      }
    }
  },
});
