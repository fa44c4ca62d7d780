import { casesFor, constant, type Fill, scaled } from '../../src/cases/casesFor.ts';
import { integer, roundToBf16 } from '../../src/cases/numbers.ts';
import { bf16Roundoff, type Sums, type Values } from '../../src/cases/values.ts';
import type { ActivationType } from '../../src/tensor.ts';
import { linearCrossEntropyOp, linearCrossEntropyTrainingOp } from './op.ts';

/** A third of the rows is unsupervised. */
const isSupervised = (t: number): boolean => t % 3 !== 1;

const someLabels: Fill<string> =
  ({ random, extents: { V = 0 } }) =>
  (t) =>
    isSupervised(t) ? integer(random, V) : -1;

/** Position of the r-th supervised row. */
const supervisedRows: Fill<string> = () => (r) => r + Math.floor((r + 1) / 2);

function shape(T: number, D: number, V: number) {
  const R = Array.from({ length: T }, (_, t) => t).filter(isSupervised).length;
  return { T, D, V, R };
}

const eighth = constant(0.125);

const shapes = [shape(1, 1, 2), shape(7, 17, 33), shape(21, 24, 1100)];
/** The second in chunks of 3 rows. */
const attributes = [
  { bf16: 0, chunkRows: 128, softCap: 0 },
  { bf16: 0, chunkRows: 3, softCap: 0 },
  { bf16: 1, chunkRows: 128, softCap: 0 },
  { bf16: 0, chunkRows: 128, softCap: 5 },
];
const hard = {
  'more rows than a chunk': {
    extents: shape(200, 8, 20),
    attributes: { bf16: 0, chunkRows: 128, softCap: 0 },
  },
  'nothing supervised': { extents: { ...shape(5, 6, 9), R: 0 }, fill: { labels: constant(-1) } },
  // Under a cap their gradients are all 0.
  ...Object.fromEntries(
    [0, 1].map((bf16) => [
      `huge logits, ${bf16}`,
      { extents: shape(6, 8, 20), attributes: { bf16, chunkRows: 128, softCap: 0 }, fill: { x: scaled(1000) } },
    ]),
  ),
  // On a GPU with clusters, several blocks have a row's logits.
  'a long row': {
    extents: shape(4, 3, 40_003),
    attributes: { bf16: 0, chunkRows: 128, softCap: 0 },
    fill: { labels: constant(40_002, -1, 0, 17_000) },
  },
  'equal logits': { extents: shape(6, 8, 20), fill: { x: constant(0) } },
};
const benchmark = [0, 1].map((bf16) => ({
  extents: shape(512, 576, 49152),
  attributes: { bf16, chunkRows: 128, softCap: 0 },
}));

/** What ops over supervised rows have in common. */
export const crossEntropyCases = {
  shapes,
  attributes,
  fill: { labels: someLabels, rows: supervisedRows },
  hard,
  benchmark,
};

interface Row {
  readonly loss: number;
  readonly lossSize: number;
  /** softmax - onehot, times the slope of the soft cap */
  readonly gradient: Float64Array;
  /** As its rounding errors grow. */
  readonly gradientSize: Float64Array;
  /** What rounding the logits to bfloat16 may change where activations have that type: of the loss, and of each gradient. */
  readonly lossAllowed: number;
  readonly gradientAllowed: Float64Array;
}

/** What products read: of bfloat16 activations also the weights are rounded. */
export function operandOf(bf16: number, activationType: ActivationType): (value: number) => number {
  return bf16 || activationType === 'bf16' ? roundToBf16 : (value) => value;
}

export function crossEntropyRow(
  x: Values,
  weight: Values,
  t: number,
  label: number,
  V: number,
  D: number,
  operand: (value: number) => number,
  activationType: ActivationType,
  softCap: number,
): Row {
  const logits = new Float64Array(V);
  const sizes = new Float64Array(V);
  for (let v = 0; v < V; v++) {
    for (let d = 0; d < D; d++) {
      const term = operand(x.at(t, d)) * operand(weight.at(v, d));
      logits[v] = (logits[v] as number) + term;
      sizes[v] = (sizes[v] as number) + Math.abs(term);
    }
  }
  const rounded = activationType === 'bf16' ? bf16Roundoff * logits.reduce((a, b) => Math.max(a, Math.abs(b)), 0) : 0;
  // Of capped logits: the slope of the cap, and by how much it changes with an error of the logit.
  const slopes = logits.map((logit) => (softCap === 0 ? 1 : 1 - Math.tanh(logit / softCap) ** 2));
  const bend = softCap === 0 ? 0 : 2 / softCap;
  if (softCap !== 0) {
    for (let v = 0; v < V; v++) {
      logits[v] = softCap * Math.tanh((logits[v] as number) / softCap);
      sizes[v] = (sizes[v] as number) + softCap; // tanh is near 1 within some units of the last place
    }
  }
  const maximum = logits.reduce((a, b) => Math.max(a, b));
  const largest = sizes.reduce((a, b) => Math.max(a, b));
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - maximum), 0);
  const softmax = logits.map((logit) => Math.exp(logit - maximum) / total);
  const onehot = (v: number) => (v === label ? 1 : 0);
  return {
    loss: maximum + Math.log(total) - (logits[label] as number),
    lossSize: Math.abs(maximum) + Math.log(total) + largest + 1,
    gradient: softmax.map((p, v) => (p - onehot(v)) * (slopes[v] as number)),
    // dp = p · (dlogit - Σ p · dlogit)
    gradientSize: softmax.map((p, v) => p * (1 + 2 * (1 - p) * largest) + onehot(v) + bend * (p + onehot(v)) * largest),
    lossAllowed: 2 * rounded,
    gradientAllowed: softmax.map((p, v) =>
      Math.min(1, p * Math.expm1(2 * rounded) + bend * Math.abs(p - onehot(v)) * rounded),
    ),
  };
}

function addLoss({ loss, lossSize, lossAllowed }: Row, total: Sums, losses: Sums, r: number): void {
  for (const [sums, at] of [[total, 0] as const, [losses, r] as const]) {
    sums.add(at, 0, loss, lossSize);
    sums.allow(at, 0, lossAllowed);
  }
}

interface Differentiated {
  readonly x: Values;
  readonly weight: Values;
  readonly dx: Sums;
  readonly gradientTotal: Sums;
}

/** Adds what a row, its logits' gradients multiplied by `scale`, gives to those of x and of the weight. */
export function addGradients(
  row: Row,
  scale: number,
  t: number,
  { x, weight, dx, gradientTotal }: Differentiated,
  V: number,
  D: number,
  operand: (value: number) => number,
): void {
  for (let v = 0; v < V; v++) {
    const exact = scale * (row.gradient[v] as number);
    const dlogit = operand(exact);
    const size = Math.abs(scale) * (row.gradientSize[v] as number);
    // Next to the middle of two bf16 values it may be rounded to either.
    const error = 2 ** -20 * size + Math.abs(scale) * (row.gradientAllowed[v] as number);
    const otherRounding = operand === roundToBf16 ? roundToBf16(exact + error) - roundToBf16(exact - error) : 0;
    for (let d = 0; d < D; d++) {
      const [w, value] = [operand(weight.at(v, d)), operand(x.at(t, d))];
      dx.add(t, d, dlogit * w, size * Math.abs(w));
      gradientTotal.add(v, d, dlogit * value, size * Math.abs(value));
      dx.allow(t, d, otherRounding * Math.abs(w));
      gradientTotal.allow(v, d, otherRounding * Math.abs(value));
    }
  }
}

export const linearCrossEntropyCases = casesFor(linearCrossEntropyOp, {
  shapes,
  attributes,
  fill: { labels: someLabels, rows: supervisedRows },
  hard,
  benchmark,
  reference: (
    { x, weight, labels, loss },
    { total, losses },
    { extents: { T = 0, D = 0, V = 0 }, attributes: { bf16, softCap }, activationType },
  ) => {
    const operand = operandOf(bf16, activationType);
    total.add(0, 0, loss.at(0));
    for (let t = 0, r = 0; t < T; t++) {
      if (labels.at(t) < 0) continue;
      addLoss(crossEntropyRow(x, weight, t, labels.at(t), V, D, operand, activationType, softCap), total, losses, r++);
    }
  },
});

export const linearCrossEntropyTrainingCases = casesFor(linearCrossEntropyTrainingOp, {
  shapes,
  attributes,
  fill: { labels: someLabels, rows: supervisedRows, scale: eighth },
  hard,
  benchmark,
  reference: (
    { x, weight, labels, scale, loss, gradient },
    { total, losses, dx, gradientTotal },
    { extents: { T = 0, D = 0, V = 0 }, attributes: { bf16, softCap }, activationType },
  ) => {
    const operand = operandOf(bf16, activationType);
    total.add(0, 0, loss.at(0));
    for (let v = 0; v < V; v++) for (let d = 0; d < D; d++) gradientTotal.add(v, d, gradient.at(v, d));
    for (let t = 0, r = 0; t < T; t++) {
      if (labels.at(t) < 0) continue;
      const row = crossEntropyRow(x, weight, t, labels.at(t), V, D, operand, activationType, softCap);
      addLoss(row, total, losses, r++);
      addGradients(row, scale.at(0), t, { x, weight, dx, gradientTotal }, V, D, operand);
    }
  },
});
