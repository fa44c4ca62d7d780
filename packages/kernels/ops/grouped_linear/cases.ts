import { casesFor, constant, type Fill, type ReferenceContext } from '../../src/cases/casesFor.ts';
import { roundToBf16 } from '../../src/cases/numbers.ts';
import type { Sums, Values } from '../../src/cases/values.ts';
import type { Sizes } from '../../src/op.ts';
import type { ActivationType, DType } from '../../src/tensor.ts';
import {
  groupedLinearBackwardOp,
  groupedLinearMergedBackwardOp,
  groupedLinearMergedOp,
  groupedLinearOp,
} from './op.ts';

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

/** One, two and three members, with their optional inputs; `each` are those of member 1 and 2. */
function cases<const I extends string>(each: readonly (readonly [I, I])[]) {
  const second = each.map(([name]) => name);
  const third = each.map(([, name]) => name);
  const copies = ['copy0', 'copy1', 'copy2'] as const;
  const group = (extents: Sizes) => {
    const widths = [extents.N, extents.M, extents.L].filter((width) => width !== undefined);
    return {
      extents: { ...extents, W: widths.reduce((sum, width) => sum + width, 0) },
      optional: [...(widths.length > 1 ? second : []), ...(widths.length > 2 ? third : [])],
    };
  };
  const withCopies = (extents: Sizes) => {
    const { optional, ...rest } = group(extents);
    const members = Number(extents.R) / Number(extents.K);
    return { ...rest, optional: [...optional, ...copies.slice(0, members)] };
  };
  return {
    hard: {
      'one value': group({ T: 1, R: 1, K: 1, N: 1 }),
      'one member, odd': group({ T: 37, R: 5, K: 5, N: 33 }),
      'two members, odd': group({ T: 19, R: 6, K: 3, N: 7, M: 18 }),
      'three members, odd': group({ T: 35, R: 24, K: 8, N: 50, M: 17, L: 3 }),
      'three members with copies': withCopies({ T: 40, R: 48, K: 16, N: 64, M: 32, L: 32 }),
      // As a model has them: whole blocks of rows and columns, and what is left of them.
      'one member, aligned': withCopies({ T: 130, R: 16, K: 16, N: 320 }),
      'two members, aligned': withCopies({ T: 300, R: 32, K: 16, N: 576, M: 128 }),
      'three members of rank 32': group({ T: 65, R: 96, K: 32, N: 128, M: 64, L: 64 }),
      'no rows': group({ T: 0, R: 48, K: 16, N: 64, M: 64, L: 64 }),
      'one huge value': {
        ...group({ T: 5, R: 32, K: 16, N: 64, M: 64 }),
        fill: { x: constant(1e15, 1, -1, 0.5, 2, 1, -3) },
      },
    },
    // Queries, keys and values of SmolLM2-135M at 512 tokens, and of Qwen3-0.6B at 4096.
    benchmark: [
      group({ T: 512, R: 48, K: 16, N: 576, M: 192, L: 192 }),
      { ...group({ T: 4096, R: 48, K: 16, N: 2048, M: 1024, L: 1024 }), attributes: plain },
    ],
  };
}

/** What products read: of bfloat16 activations also the weights are rounded. */
function operandOf(bf16: number, activationType: ActivationType): (value: number) => number {
  return bf16 || activationType === 'bf16' ? roundToBf16 : (value) => value;
}

interface Part {
  readonly weight: Values;
  /** Columns before its own, where the columns of all members lie beside each other. */
  readonly first: number;
  readonly columns: number;
}

/** y += c + alpha · x_i · weightᵀ. */
function addProducts(
  { x, c, y }: { x: Values; c: Values; y: Sums },
  { weight, first, columns }: Part,
  i: number,
  { extents: { T = 0, K = 0 }, attributes: { alpha, bf16 }, activationType }: Context,
): void {
  const operand = operandOf(bf16, activationType);
  for (let t = 0; t < T; t++) {
    for (let n = 0; n < columns; n++) {
      y.add(t, first + n, c.at(t, first + n));
      for (let k = 0; k < K; k++) y.add(t, first + n, alpha * operand(x.at(t, i * K + k)) * operand(weight.at(n, k)));
    }
  }
}

/** dx_i += alpha · dy · weight, total += gradient + alpha · dyᵀ · x_i. */
function addGradients(
  { x, dy, gradient, dx, total }: { x: Values; dy: Values; gradient: Values; dx: Sums; total: Sums },
  { weight, first, columns }: Part,
  i: number,
  { extents: { T = 0, K = 0 }, attributes: { alpha, bf16 }, activationType }: Context,
): void {
  const operand = operandOf(bf16, activationType);
  for (let k = 0; k < K; k++) {
    for (let n = 0; n < columns; n++) {
      total.add(n, k, gradient.at(n, k));
      for (let t = 0; t < T; t++) {
        const d = operand(dy.at(t, first + n));
        dx.add(t, i * K + k, alpha * d * operand(weight.at(n, k)));
        total.add(n, k, alpha * d * operand(x.at(t, i * K + k)));
      }
    }
  }
}

type Context = Pick<
  ReferenceContext<'weight1' | 'weight2', 'alpha' | 'bf16'>,
  'extents' | 'attributes' | 'activationType'
> & {
  readonly dtypes: { readonly weight1?: DType; readonly weight2?: DType };
};

/** The members that are there. */
function partsOf(
  { weight0, weight1, weight2 }: Readonly<Record<'weight0' | 'weight1' | 'weight2', Values>>,
  { extents: { N = 0, M = 0, L = 0 }, dtypes }: Context,
  merged: boolean,
): Part[] {
  return [
    { weight: weight0, first: 0, columns: N },
    ...(dtypes.weight1 ? [{ weight: weight1, first: merged ? N : 0, columns: M }] : []),
    ...(dtypes.weight2 ? [{ weight: weight2, first: merged ? N + M : 0, columns: L }] : []),
  ];
}

type Three<Item> = readonly [Item, Item, Item];
const at = <Item>(three: Three<Item>, i: number): Item => three[i] as Item;

export const groupedLinearCases = casesFor(groupedLinearOp, {
  shapes: [],
  attributes,
  fill,
  ...cases([
    ['weight1', 'weight2'],
    ['c1', 'c2'],
  ]),
  reference: ({ x, c0, c1, c2, ...weights }, { y0, y1, y2 }, context) => {
    for (const [i, part] of partsOf(weights, context, false).entries())
      addProducts({ x, c: at([c0, c1, c2], i), y: at([y0, y1, y2], i) }, part, i, context);
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
  reference: (inputs, { dx, total0, total1, total2 }, context) => {
    const { x, dy0, dy1, dy2, gradient0, gradient1, gradient2 } = inputs;
    for (const [i, part] of partsOf(inputs, context, false).entries()) {
      const [dy, gradient] = [at([dy0, dy1, dy2], i), at([gradient0, gradient1, gradient2], i)];
      addGradients({ x, dy, gradient, dx, total: at([total0, total1, total2], i) }, part, i, context);
    }
  },
});

export const groupedLinearMergedCases = casesFor(groupedLinearMergedOp, {
  shapes: [],
  attributes,
  fill,
  ...cases([['weight1', 'weight2']]),
  reference: ({ x, c, ...weights }, { y }, context) => {
    for (const [i, part] of partsOf(weights, context, true).entries()) addProducts({ x, c, y }, part, i, context);
  },
});

export const groupedLinearMergedBackwardCases = casesFor(groupedLinearMergedBackwardOp, {
  shapes: [],
  attributes,
  fill,
  ...cases([
    ['weight1', 'weight2'],
    ['gradient1', 'gradient2'],
  ]),
  reference: (inputs, { dx, total0, total1, total2 }, context) => {
    const { x, dy, gradient0, gradient1, gradient2 } = inputs;
    for (const [i, part] of partsOf(inputs, context, true).entries()) {
      const gradient = at([gradient0, gradient1, gradient2], i);
      addGradients({ x, dy, gradient, dx, total: at([total0, total1, total2], i) }, part, i, context);
    }
  },
});
