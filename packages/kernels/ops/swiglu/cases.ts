import { casesFor, constant, type Fill, type ReferenceContext, scaled } from '../../src/cases/casesFor.ts';
import { sigmoid } from '../../src/cases/mathematics.ts';
import { roundToBf16 } from '../../src/cases/numbers.ts';
import { bf16Roundoff, type Values } from '../../src/cases/values.ts';
import { swigluBackwardOp, swigluMergedBackwardOp, swigluMergedOp, swigluOp } from './op.ts';

const shapes = [
  { T: 1, N: 1 },
  { T: 3, N: 19 },
  { T: 40, N: 257 },
];
const hard = {
  'gates that saturate': {
    extents: { T: 2, N: 20 },
    attributes: { gelu: 0 },
    fill: { gate: constant(1000, -1000, 60, -60, 0) },
  },
  'gates where gelu saturates': {
    extents: { T: 2, N: 20 },
    attributes: { gelu: 1 },
    fill: { gate: constant(7, -7, 4, -4, 0) },
  },
  'wide gates': { extents: { T: 4, N: 33 }, fill: { gate: scaled(10) } },
};

/** What the sigmoid of an activation is of, and its slope. */
function argumentOf(z: number, gelu: number): { value: number; slope: number } {
  if (!gelu) return { value: z, slope: 1 };
  const c = 2 * Math.sqrt(2 / Math.PI);
  return { value: c * (z + 0.044715 * z ** 3), slope: c * (1 + 3 * 0.044715 * z ** 2) };
}

const activation = (z: number, gelu: number): number => z * sigmoid(argumentOf(z, gelu).value);

const attributes = [{ gelu: 0 }, { gelu: 1 }];
const benchmark = attributes.map((chosen) => ({ extents: { T: 512, N: 1536 }, attributes: chosen }));

export const swigluCases = casesFor(swigluOp, {
  shapes,
  attributes,
  hard,
  benchmark,
  reference: ({ gate, up }, { y }, { extents: { T = 0, N = 0 }, attributes: { gelu } }) => {
    for (let t = 0; t < T; t++) {
      for (let n = 0; n < N; n++) {
        const value = activation(gate.at(t, n), gelu) * up.at(t, n);
        y.add(t, n, value, Math.abs(value) * (1 + gateError(gate.at(t, n), gelu)));
      }
    }
  },
});

/** Relative error of gelu, in units of rounding: its sigmoid is of a rounded argument. Silu's is of the gate itself. */
function gateError(g: number, gelu: number): number {
  if (!gelu) return 0;
  const { value } = argumentOf(g, gelu);
  return 2 * Math.abs(value) * (1 - sigmoid(value));
}

/** dgate and dup, and what their rounding errors are measured by. */
function slopes(d: number, g: number, u: number, gelu: number) {
  const { value, slope } = argumentOf(g, gelu);
  const s = sigmoid(value);
  const error = 1 + gateError(g, gelu);
  return {
    dgate: d * u * s * (1 + g * slope * (1 - s)),
    size: Math.abs(d * u * s) * (1 + Math.abs(g) * slope * (2 - s)) * error, // 1 - s has the absolute error of s
    dup: d * g * s,
    dupSize: Math.abs(d * g * s) * error,
  };
}

export const swigluBackwardCases = casesFor(swigluBackwardOp, {
  shapes,
  attributes,
  hard,
  benchmark,
  reference: ({ dy, gate, up }, { dgate, dup }, { extents: { T = 0, N = 0 }, attributes: { gelu } }) => {
    for (let t = 0; t < T; t++) {
      for (let n = 0; n < N; n++) {
        const of = slopes(dy.at(t, n), gate.at(t, n), up.at(t, n), gelu);
        dgate.add(t, n, of.dgate, of.size);
        dup.add(t, n, of.dup, of.dupSize);
      }
    }
  },
});

const added = ['low', 'factor0', 'factor1'] as const;
const plain = { alpha: 0, bf16: 0, gelu: 0 };
const size = (T: number, N: number, K: number) => ({ T, N, M: 2 * N, K, R: 2 * K });
const copyOf =
  (factor: 'factor0' | 'factor1'): Fill<'alpha' | 'bf16' | 'gelu'> =>
  ({ made }) =>
  (i) =>
    (made[factor] as Values).data[i] as number;

const merged = {
  shapes: [],
  attributes: [
    { alpha: 0.5, bf16: 0, gelu: 0 },
    { alpha: 0.5, bf16: 0, gelu: 1 },
  ],
  fill: { copy0: copyOf('factor0'), copy1: copyOf('factor1') },
  hard: {
    'one value': { extents: size(1, 1, 1), optional: [] },
    odd: { extents: size(3, 19, 1), optional: [] },
    'whole vectors': { extents: size(33, 256, 1), optional: [] },
    'gates that saturate': {
      extents: size(2, 20, 1),
      fill: { x: constant(1000, -1000, 60, -60, 0, 1, 2) },
      optional: [],
    },
    'wide gates': { extents: size(4, 33, 1), fill: { x: scaled(10) }, optional: [] },
    'products added, one value': { extents: size(1, 1, 1), optional: added },
    'products added, odd': { extents: size(37, 19, 5), optional: added },
    'products added in bf16': {
      extents: size(5, 40, 8),
      attributes: { alpha: 0.5, bf16: 1, gelu: 0 },
      optional: added,
    },
    'products added, aligned': { extents: size(70, 160, 16), optional: [...added, 'copy0', 'copy1'] },
    'products of rank 32 added': { extents: size(65, 64, 32), optional: added },
  },
  benchmark: [
    { extents: size(512, 1536, 16), attributes: plain },
    { extents: size(4096, 3072, 16), attributes: { alpha: 1, bf16: 0, gelu: 0 }, optional: added },
  ],
} as const;

type MergedInputs = Readonly<Record<'x' | 'low' | 'factor0' | 'factor1', Values>>;
type MergedContext = Pick<
  ReferenceContext<never, 'alpha' | 'bf16' | 'gelu'>,
  'extents' | 'attributes' | 'activationType'
>;

/** Gate or up with its product added, and by how much it may differ: as a sum of float32, or of the activations' type where it is written. */
function sumAt(
  { x, low, factor0, factor1 }: MergedInputs,
  half: 0 | 1,
  t: number,
  n: number,
  { extents: { N = 0, K = 0 }, attributes: { alpha, bf16 }, activationType }: MergedContext,
): { value: number; error: number } {
  const operand = bf16 || activationType === 'bf16' ? roundToBf16 : (value: number) => value;
  let value = x.at(t, half * N + n);
  let terms = Math.abs(value);
  for (let k = 0; k < K; k++) {
    const term = alpha * operand(low.at(t, half * K + k)) * operand((half === 0 ? factor0 : factor1).at(n, k));
    value += term;
    terms += Math.abs(term);
  }
  const isSum = terms !== Math.abs(x.at(t, half * N + n));
  const rounding = activationType === 'bf16' ? bf16Roundoff * Math.abs(value) : 0;
  return { value, error: isSum ? 2 ** -24 * (8 + 2 * Math.sqrt(K)) * terms + rounding : 0 };
}

/** The largest slopes of silu and gelu are 1.1 and 1.13, the largest second derivatives 0.5 and 0.8. */
const [steepest, mostBent] = [1.13, 0.8];

export const swigluMergedCases = casesFor(swigluMergedOp, {
  ...merged,
  reference: (inputs, { y }, context) => {
    const { T = 0, N = 0 } = context.extents;
    const { gelu } = context.attributes;
    for (let t = 0; t < T; t++) {
      for (let n = 0; n < N; n++) {
        const [gate, up] = [sumAt(inputs, 0, t, n, context), sumAt(inputs, 1, t, n, context)];
        const active = activation(gate.value, gelu);
        y.add(t, n, active * up.value, Math.abs(active * up.value) * (1 + gateError(gate.value, gelu)));
        y.allow(t, n, steepest * Math.abs(up.value) * gate.error + Math.abs(active) * up.error);
      }
    }
  },
});

export const swigluMergedBackwardCases = casesFor(swigluMergedBackwardOp, {
  ...merged,
  reference: ({ dy, ...inputs }, { dx }, context) => {
    const { T = 0, N = 0 } = context.extents;
    const { gelu } = context.attributes;
    for (let t = 0; t < T; t++) {
      for (let n = 0; n < N; n++) {
        const [gate, up] = [sumAt(inputs, 0, t, n, context), sumAt(inputs, 1, t, n, context)];
        const d = dy.at(t, n);
        const of = slopes(d, gate.value, up.value, gelu);
        dx.add(t, n, of.dgate, of.size);
        dx.allow(t, n, Math.abs(d) * (mostBent * Math.abs(up.value) * gate.error + steepest * up.error));
        dx.add(t, N + n, of.dup, of.dupSize);
        dx.allow(t, N + n, steepest * Math.abs(d) * gate.error);
      }
    }
  },
});
