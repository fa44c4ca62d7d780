import {
  carriedPlaces,
  casesOfStates,
  nextTokens,
  oneSequence,
  sequencesBeside,
  sixteenAnswers,
} from '../../src/cases/carried.ts';
import { casesFor, constant, scaled } from '../../src/cases/casesFor.ts';
import { sigmoid, zeros } from '../../src/cases/mathematics.ts';
import type { Values } from '../../src/cases/values.ts';
import {
  shortConvBackwardBiasOp,
  shortConvBackwardInputOp,
  shortConvBackwardWeightOp,
  shortConvCachedOp,
  shortConvOp,
} from './op.ts';

interface Conv {
  readonly channels: number;
  readonly taps: number;
  readonly gated: 0 | 1;
}

function sizes(T: number, { channels, taps, gated }: Conv) {
  const extents = { T, D: channels, M: (gated ? 3 : 1) * channels, K: taps, P: taps - 1 };
  return { extents, attributes: { gated } };
}

const { packed, cached, beside } = casesOfStates(sizes, 'P');

const gatedConv = (channels: number, taps: number): Conv => ({ channels, taps, gated: 1 });
const siluConv = (channels: number, taps: number): Conv => ({ channels, taps, gated: 0 });

const hard = {
  'one value, gated': packed([1], gatedConv(1, 2)),
  'one value': packed([1], siluConv(1, 2)),
  'documents shorter than the kernel, gated': packed([1, 2, 1, 7, 1], gatedConv(19, 3)),
  'documents shorter than the kernel': packed([1, 2, 3, 9], siluConv(19, 4)),
  // A thread of a GPU goes through 16 tokens.
  'documents over the ends of runs': packed([15, 1, 20, 3, 40], siluConv(64, 4)),
  'documents that end with a run': packed([16, 17], siluConv(19, 4)),
  'empty documents': packed([0, 3, 0, 0, 2, 0], siluConv(5, 3)),
  'channels of several vectors, gated': packed([40, 3], gatedConv(65, 3)),
  'the longest kernel': packed([20, 31], siluConv(33, 16)),
  'values that saturate': { ...packed([9], siluConv(20, 4)), fill: { cuSeqlens: constant(0, 9), x: scaled(100) } },
};
const benchmark = [packed([512], gatedConv(1024, 3)), packed([512], siluConv(6144, 4))];

type Inputs = Readonly<Record<'x' | 'weight' | 'bias', Values>>;

/** What is convolved. */
function inputAt({ x }: Inputs, t: number, d: number, { D, gated }: { D: number; gated: number }): number {
  return gated ? x.at(t, d) * x.at(t, 2 * D + d) : x.at(t, d);
}

/** Calls `each` with the rows that z[t] is made of, of the document that begins at `first`, and with their places in the kernel. */
function forTaps(t: number, first: number, K: number, each: (row: number, k: number) => void): void {
  for (let k = 0; k < K; k++) if (t - K + 1 + k >= first) each(t - K + 1 + k, k);
}

/** z of every token, the sizes of its terms, and where its document begins. */
function convolve(
  inputs: Inputs & { readonly cuSeqlens: Values },
  { T = 0, D = 0, K = 0 }: Readonly<Record<string, number>>,
  isGated: number,
) {
  const zAt = (t: number, d: number, first: number) => {
    let [value, size] = [inputs.bias.at(d), Math.abs(inputs.bias.at(d))];
    forTaps(t, first, K, (row, k) => {
      const term = inputs.weight.at(d * K + k) * inputAt(inputs, row, d, { D, gated: isGated });
      value += term;
      size += Math.abs(term);
    });
    return { value, size };
  };
  let document = 0;
  return Array.from({ length: T }, (_, t) => {
    while (inputs.cuSeqlens.at(document + 1) <= t) document++;
    const first = inputs.cuSeqlens.at(document);
    return { first, z: [...Array(D).keys()].map((d) => zAt(t, d, first)) };
  });
}

/** dz of a channel, and what its rounding errors are measured by: the second derivative of silu is at most 0.5. */
function slope(dy: number, z: { value: number; size: number }, c: number | null): { value: number; size: number } {
  if (c !== null) return { value: dy * c, size: Math.abs(dy * c) };
  const s = sigmoid(z.value);
  return {
    value: dy * s * (1 + z.value * (1 - s)),
    size: Math.abs(dy) * (s * (1 + Math.abs(z.value) * (2 - s)) + 0.5 * z.size),
  };
}

export const shortConvCases = casesFor(shortConvOp, {
  shapes: [],
  hard,
  benchmark,
  reference: (inputs, { y }, { extents, attributes }) => {
    const { D = 0 } = extents;
    convolve(inputs, extents, attributes.gated).forEach(({ z }, t) => {
      z.forEach(({ value, size }, d) => {
        if (attributes.gated) y.add(t, d, inputs.x.at(t, D + d) * value, Math.abs(inputs.x.at(t, D + d)) * size);
        else y.add(t, d, value * sigmoid(value), Math.abs(value) * sigmoid(value) + 1.1 * size);
      });
    });
  },
});

export const shortConvBackwardInputCases = casesFor(shortConvBackwardInputOp, {
  shapes: [],
  hard,
  benchmark,
  reference: ({ dy, ...inputs }, { dx }, { extents, attributes }) => {
    const { D = 0, K = 0 } = extents;
    convolve(inputs, extents, attributes.gated).forEach(({ first, z }, t) => {
      z.forEach((convolved, d) => {
        const c = attributes.gated ? inputs.x.at(t, D + d) : null;
        const dz = slope(dy.at(t, d), convolved, c);
        if (attributes.gated) dx.add(t, D + d, dy.at(t, d) * convolved.value, Math.abs(dy.at(t, d)) * convolved.size);
        forTaps(t, first, K, (row, k) => {
          const weight = inputs.weight.at(d * K + k);
          const add = (column: number, factor: number) =>
            dx.add(row, column, weight * dz.value * factor, Math.abs(weight * factor) * dz.size);
          if (!attributes.gated) return add(d, 1);
          add(d, inputs.x.at(row, 2 * D + d));
          add(2 * D + d, inputs.x.at(row, d));
        });
      });
    });
  },
});

export const shortConvBackwardWeightCases = casesFor(shortConvBackwardWeightOp, {
  shapes: [],
  hard,
  benchmark,
  reference: ({ dy, gradient, ...inputs }, { total }, { extents, attributes: { gated: isGated } }) => {
    const { D = 0, K = 0 } = extents;
    for (let i = 0; i < D * K; i++) total.add(i, 0, gradient.at(i));
    convolve(inputs, extents, isGated).forEach(({ first, z }, t) => {
      z.forEach((convolved, d) => {
        const dz = slope(dy.at(t, d), convolved, isGated ? inputs.x.at(t, D + d) : null);
        forTaps(t, first, K, (row, k) => {
          const u = inputAt(inputs, row, d, { D, gated: isGated });
          total.add(d * K + k, 0, dz.value * u, dz.size * Math.abs(u));
        });
      });
    });
  },
});

export const shortConvBackwardBiasCases = casesFor(shortConvBackwardBiasOp, {
  shapes: [],
  hard,
  benchmark,
  reference: ({ dy, gradient, ...inputs }, { total }, { extents, attributes: { gated: isGated } }) => {
    const { D = 0 } = extents;
    for (let d = 0; d < D; d++) total.add(d, 0, gradient.at(d));
    convolve(inputs, extents, isGated).forEach(({ z }, t) => {
      z.forEach((convolved, d) => {
        const dz = slope(dy.at(t, d), convolved, isGated ? inputs.x.at(t, D + d) : null);
        total.add(d, 0, dz.value, dz.size);
      });
    });
  },
});

export const shortConvCachedCases = casesFor(shortConvCachedOp, {
  shapes: [],
  hard: {
    'a sequence begins, gated': cached(oneSequence(1, 0), gatedConv(1, 2)),
    'a prompt': cached(oneSequence(30, 0), siluConv(33, 4)),
    'the next token, gated': cached(oneSequence(1, 7), gatedConv(19, 3)),
    'the next token': cached(oneSequence(1, 7), siluConv(19, 4)),
    'fewer tokens than the state has': cached(oneSequence(2, 40), gatedConv(65, 5)),
    'another part of a prompt': cached(oneSequence(17, 512), siluConv(5, 4)),
    'sequences beside each other': beside(sequencesBeside, siluConv(33, 4), 'bias'),
    'sequences beside each other, gated': beside(sequencesBeside, gatedConv(19, 3)),
    'the next tokens of several': beside(nextTokens, siluConv(5, 4)),
    'the next tokens of several, gated': beside(nextTokens, gatedConv(65, 5), 'bias'),
  },
  benchmark: [gatedConv(1024, 3), siluConv(6144, 4)].flatMap((conv) => [
    { ...cached(oneSequence(1, 511), conv), optional: [] },
    beside(sixteenAnswers, conv),
  ]),
  reference: (
    { state, positions, slots, ...inputs },
    { y, next },
    { extents, attributes: { gated: isGated }, dtypes },
  ) => {
    const { T = 0, D = 0, K = 0, Q = 0 } = extents;
    const rows = K - 1;
    const places = carriedPlaces({ state, positions, slots }, T, { count: dtypes.slots ? Q : 0, rows });
    const states = places.ends.slice(1).map((end, n) => {
      const first = places.ends[n] as number;
      const held = places.before(n);
      const inputOf = (t: number, d: number) =>
        t < first ? (held?.(rows + t - first, d) ?? 0) : inputAt(inputs, t, d, { D, gated: isGated });
      for (let d = 0; d < D; d++) {
        for (let t = first; t < end; t++) {
          let [z, size] = [inputs.bias.at(d), Math.abs(inputs.bias.at(d))];
          for (let k = 0; k < K; k++) {
            const term = inputs.weight.at(d * K + k) * inputOf(t - rows + k, d);
            z += term;
            size += Math.abs(term);
          }
          if (isGated) y.add(t, d, inputs.x.at(t, D + d) * z, Math.abs(inputs.x.at(t, D + d)) * size);
          else y.add(t, d, z * sigmoid(z), Math.abs(z) * sigmoid(z) + 1.1 * size);
        }
      }
      return zeros(rows, D).map((row, r) => row.map((_, d) => inputOf(end - rows + r, d)));
    });
    for (const [row, values] of places.after(states).entries()) values.forEach((value, d) => next.add(row, d, value));
  },
});
