import { casesFor, constant, type Fill } from '../../src/cases/casesFor.ts';
import { roundToBf16 } from '../../src/cases/numbers.ts';
import type { Values } from '../../src/cases/values.ts';
import type { Sizes } from '../../src/op.ts';
import type { ActivationType } from '../../src/tensor.ts';
import { groupedLinearBackwardOp, groupedLinearOp } from './op.ts';

const plain = { alpha: 1, bf16: 0 };
const attributes = [plain, { alpha: 0.5, bf16: 1 }];

type Weight = 'weight0' | 'weight1' | 'weight2';
/** What a copy holds: the weight, rounded as its type has it. */
const copyOf =
  (weight: Weight): Fill<'alpha' | 'bf16'> =>
  ({ made }) =>
  (i) =>
    (made[weight] as Values).data[i] as number;
const fill = { copy0: copyOf('weight0'), copy1: copyOf('weight1'), copy2: copyOf('weight2') };

const one = (extents: Sizes) => ({ extents, optional: [] });

/** One, two and three members, with their optional inputs; `each` are those of member 1 and 2. */
function cases<const I extends string>(each: readonly (readonly [I, I])[]) {
  const second = each.map(([name]) => name);
  const third = each.map(([, name]) => name);
  const copies = ['copy0', 'copy1', 'copy2'] as const;
  const two = (extents: Sizes) => ({ extents, optional: second });
  const three = (extents: Sizes) => ({ extents, optional: [...second, ...third] });
  return {
    hard: {
      'one value': one({ T: 1, R: 1, K: 1, N: 1 }),
      'one member, odd': one({ T: 37, R: 5, K: 5, N: 33 }),
      'two members, odd': two({ T: 19, R: 6, K: 3, N: 7, M: 18 }),
      'three members, odd': three({ T: 35, R: 24, K: 8, N: 50, M: 17, L: 3 }),
      'three members with copies': {
        extents: { T: 40, R: 48, K: 16, N: 64, M: 32, L: 32 },
        optional: [...second, ...third, ...copies],
      },
      // As a model has them: whole blocks of rows and columns, and what is left of them.
      'one member, aligned': { extents: { T: 130, R: 16, K: 16, N: 320 }, optional: [copies[0]] },
      'two members, aligned': {
        extents: { T: 300, R: 32, K: 16, N: 576, M: 128 },
        optional: [...second, copies[0], copies[1]],
      },
      'three members of rank 32': three({ T: 65, R: 96, K: 32, N: 128, M: 64, L: 64 }),
      'no rows': three({ T: 0, R: 48, K: 16, N: 64, M: 64, L: 64 }),
      'one huge value': {
        extents: { T: 5, R: 32, K: 16, N: 64, M: 64 },
        fill: { x: constant(1e15, 1, -1, 0.5, 2, 1, -3) },
        optional: second,
      },
    },
    // Queries, keys and values of SmolLM2-135M at 512 tokens, and of Qwen3-0.6B at 4096.
    benchmark: [
      three({ T: 512, R: 48, K: 16, N: 576, M: 192, L: 192 }),
      { ...three({ T: 4096, R: 48, K: 16, N: 2048, M: 1024, L: 1024 }), attributes: plain },
    ],
  };
}

/** What products read: of bfloat16 activations also the weights are rounded. */
function operandOf(bf16: number, activationType: ActivationType): (value: number) => number {
  return bf16 || activationType === 'bf16' ? roundToBf16 : (value) => value;
}

export const groupedLinearCases = casesFor(groupedLinearOp, {
  shapes: [],
  attributes,
  fill,
  ...cases([
    ['weight1', 'weight2'],
    ['c1', 'c2'],
  ]),
  reference: (
    { x, weight0, weight1, weight2, c0, c1, c2 },
    { y0, y1, y2 },
    { extents: { T = 0, K = 0, N = 0, M = 0, L = 0 }, attributes: { alpha, bf16 }, activationType, dtypes },
  ) => {
    const operand = operandOf(bf16, activationType);
    const members = [
      { weight: weight0, c: c0, y: y0, columns: N },
      { weight: weight1, c: c1, y: y1, columns: dtypes.c1 ? M : 0 },
      { weight: weight2, c: c2, y: y2, columns: dtypes.c2 ? L : 0 },
    ];
    for (const [i, { weight, c, y, columns }] of members.entries()) {
      for (let t = 0; t < T; t++) {
        for (let n = 0; n < columns; n++) {
          y.add(t, n, c.at(t, n));
          for (let k = 0; k < K; k++) y.add(t, n, alpha * operand(x.at(t, i * K + k)) * operand(weight.at(n, k)));
        }
      }
    }
  },
});

export const groupedLinearBackwardCases = casesFor(groupedLinearBackwardOp, {
  shapes: [],
  attributes,
  fill,
  ...cases([
    ['dy1', 'dy2'],
    ['weight1', 'weight2'],
    ['gradient1', 'gradient2'],
  ]),
  reference: (
    { dy0, dy1, dy2, x, weight0, weight1, weight2, gradient0, gradient1, gradient2 },
    { dx, total0, total1, total2 },
    { extents: { T = 0, K = 0, N = 0, M = 0, L = 0 }, attributes: { alpha, bf16 }, activationType, dtypes },
  ) => {
    const operand = operandOf(bf16, activationType);
    const members = [
      { dy: dy0, weight: weight0, gradient: gradient0, total: total0, columns: N },
      { dy: dy1, weight: weight1, gradient: gradient1, total: total1, columns: dtypes.dy1 ? M : 0 },
      { dy: dy2, weight: weight2, gradient: gradient2, total: total2, columns: dtypes.dy2 ? L : 0 },
    ];
    for (const [i, { dy, weight, gradient, total, columns }] of members.entries()) {
      for (let k = 0; k < K; k++) {
        for (let n = 0; n < columns; n++) {
          total.add(n, k, gradient.at(n, k));
          for (let t = 0; t < T; t++) {
            const d = operand(dy.at(t, n));
            dx.add(t, i * K + k, alpha * d * operand(weight.at(n, k)));
            total.add(n, k, alpha * d * operand(x.at(t, i * K + k)));
          }
        }
      }
    }
  },
});
