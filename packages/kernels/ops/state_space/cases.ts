import {
  carriedPlaces,
  casesOfStates,
  nextTokens,
  oneSequence,
  sequencesBeside,
  sixteenAnswers,
} from '../../src/cases/carried.ts';
import { casesFor, constant, scaled } from '../../src/cases/casesFor.ts';
import { numbersOf } from '../../src/cases/documents.ts';
import { bf16Roundoff, type Sums, type Values } from '../../src/cases/values.ts';
import type { ActivationType } from '../../src/tensor.ts';
import { stateSpaceBackwardOp, stateSpaceCachedOp, stateSpaceOp } from './op.ts';
import { type StateInputs, type StateSizes, stateSpaceSlopes, stateSpaceValues } from './reference.ts';

type Heads = Omit<StateSizes, 'tokens'>;

function sizes(T: number, { heads, groups, stateSize, headSize }: Heads) {
  const V = heads * headSize;
  const extents = { T, H: heads, V, E: V + 2 * groups * stateSize, N: stateSize, M: heads * stateSize, P: headSize };
  return { extents, attributes: { groups, stateSize } };
}

const { packed, cached, beside } = casesOfStates(sizes, 'M');

const small: Heads = { heads: 2, groups: 1, stateSize: 4, headSize: 3 };
const grouped: Heads = { heads: 4, groups: 2, stateSize: 8, headSize: 12 };
const onTensorCores: Heads = { heads: 2, groups: 1, stateSize: 128, headSize: 64 };
const published: Heads = { heads: 48, groups: 1, stateSize: 128, headSize: 64 };
const hard = {
  'one token': packed([1], { heads: 1, groups: 1, stateSize: 1, headSize: 1 }),
  'single-token documents': packed([1, 1, 5, 1], small),
  'empty documents': packed([0, 3, 0, 0, 2, 0], small),
  'documents over the borders of chunks': packed([50, 37, 150], grouped),
  'a whole chunk': packed([64], small),
  'more heads than parts': packed([70, 9], { heads: 19, groups: 1, stateSize: 5, headSize: 2 }),
  'heads of several vectors': packed([70], { heads: 1, groups: 1, stateSize: 33, headSize: 40 }),
  'states that last': { ...packed([90], small), fill: { cuSeqlens: constant(0, 90), decay: constant(-6, -5) } },
  'states that end at once': { ...packed([70], small), fill: { cuSeqlens: constant(0, 70), decay: constant(4, 5) } },
  'heads of tensor cores': packed([40, 3, 100], onTensorCores),
  'steps that saturate': { ...packed([70], small), fill: { cuSeqlens: constant(0, 70), dt: scaled(30) } },
};
const benchmark = [packed([512], published)];

function sizesOf(
  { T = 0, H = 0, V = 0 }: Readonly<Record<string, number>>,
  { groups, stateSize }: Readonly<Record<'groups' | 'stateSize', number>>,
): StateSizes {
  return { tokens: T, heads: H, groups, stateSize, headSize: V / H };
}

function addTotals(to: Sums, held: Values, values: readonly number[], size: number, roundsFactors: boolean): void {
  values.forEach((value, h) => {
    to.add(h, 0, held.at(h) + value, 16 * size + 8);
    if (roundsFactors) to.allow(h, 0, 4 * bf16Roundoff * size);
  });
}

const isOnTensorCores = ({ stateSize, headSize }: StateSizes, type: ActivationType): boolean =>
  type === 'bf16' && stateSize === 128 && headSize === 64;

export const stateSpaceCases = casesFor(stateSpaceOp, {
  shapes: [],
  hard,
  benchmark,
  reference: (inputs, { y }, { extents, attributes, activationType }) => {
    const ends = numbersOf(inputs.cuSeqlens, extents.S ?? 0);
    const heads = sizesOf(extents, attributes);
    y.addAll(stateSpaceValues(inputs, heads, ends).y, 4);
    if (isOnTensorCores(heads, activationType)) y.allowFactors();
  },
});

export const stateSpaceBackwardCases = casesFor(stateSpaceBackwardOp, {
  shapes: [],
  hard,
  benchmark,
  reference: (
    { dy, decayGradient, shiftGradient, skipGradient, ...inputs },
    outputs,
    { extents, attributes, activationType },
  ) => {
    const ends = numbersOf(inputs.cuSeqlens, extents.S ?? 0);
    const heads = sizesOf(extents, attributes);
    const rounds = isOnTensorCores(heads, activationType);
    const slopes = stateSpaceSlopes(inputs, heads, ends, dy);
    outputs.dxbc.addAll(slopes.dxbc, 16);
    outputs.ddt.addAll(slopes.ddt, 16);
    if (rounds) for (const sums of [outputs.dxbc, outputs.ddt]) sums.allowFactors();
    addTotals(outputs.decayTotal, decayGradient, slopes.decay, slopes.sizes.decay, rounds);
    addTotals(outputs.shiftTotal, shiftGradient, slopes.shift, slopes.sizes.shift, rounds);
    addTotals(outputs.skipTotal, skipGradient, slopes.skip, slopes.sizes.skip, rounds);
  },
});

export const stateSpaceCachedCases = casesFor(stateSpaceCachedOp, {
  shapes: [],
  hard: {
    'a sequence begins': cached(oneSequence(1, 0), small),
    'the next token': cached(oneSequence(1, 9), grouped),
    'a prompt': cached(oneSequence(100, 0), grouped),
    'another part of a prompt': cached(oneSequence(70, 512), small),
    'a prompt of heads of tensor cores': cached(oneSequence(100, 0), onTensorCores),
    'another part of a prompt of heads of tensor cores': cached(oneSequence(70, 512), onTensorCores),
    'sequences beside each other': beside(sequencesBeside, small),
    'sequences of heads in groups': beside(sequencesBeside, grouped),
    'sequences of heads of tensor cores': beside(sequencesBeside, onTensorCores),
    'the next tokens of several': beside(nextTokens, grouped),
    'the next tokens of heads of tensor cores': beside(nextTokens, onTensorCores),
  },
  benchmark: [{ ...cached(oneSequence(1, 511), published), optional: [] }, beside(sixteenAnswers, published)],
  reference: ({ state, positions, slots, ...inputs }, { y, next }, { extents, attributes, activationType, dtypes }) => {
    const heads = sizesOf(extents, attributes);
    const [count, rows] = [dtypes.slots ? (extents.Q ?? 0) : 0, heads.heads * heads.stateSize];
    const places = carriedPlaces({ state, positions, slots }, heads.tokens, { count, rows });
    const made = stateSpaceValues(inputs as StateInputs, heads, places.ends, places.before);
    y.addAll(made.y, 4);
    next.addAll(places.after(made.states), 4);
    // kFewTokens in few_tokens.cuh: so many of each sequence go through the state one by one, in float32.
    if (!isOnTensorCores(heads, activationType) || heads.tokens <= 8 * Math.max(count, 1)) return;
    y.allowFactors();
    next.allowFactors();
  },
});
