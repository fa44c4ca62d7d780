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
import { bf16Roundoff } from '../../src/cases/values.ts';
import type { ActivationType } from '../../src/tensor.ts';
import { gatedDeltaBackwardOp, gatedDeltaCachedOp, gatedDeltaOp } from './op.ts';
import { type DeltaInputs, deltaRule, deltaSlopes, type HeadSizes } from './reference.ts';

interface Heads {
  readonly keyHeads: number;
  readonly heads: number;
  readonly keySize: number;
  readonly valueSize: number;
}

function sizes(T: number, { keyHeads, heads, keySize, valueSize }: Heads) {
  const V = heads * valueSize;
  const extents = { T, H: heads, V, E: 2 * keyHeads * keySize + V, K: keySize, M: heads * keySize, C: valueSize };
  return { extents, attributes: { keyHeads, keySize } };
}

const { packed, cached, beside } = casesOfStates(sizes, 'M');

const small: Heads = { keyHeads: 1, heads: 2, keySize: 4, valueSize: 3 };
const hard = {
  'one token': packed([1], { keyHeads: 1, heads: 1, keySize: 1, valueSize: 1 }),
  'single-token documents': packed([1, 1, 5, 1], small),
  'empty documents': packed([0, 3, 0, 0, 2, 0], small),
  'documents over the borders of chunks': packed([50, 37, 150], { keyHeads: 2, heads: 4, keySize: 8, valueSize: 12 }),
  'a whole chunk': packed([64], small),
  'heads of several vectors': packed([70], { keyHeads: 1, heads: 1, keySize: 33, valueSize: 40 }),
  'large keys': packed([20, 60], { keyHeads: 1, heads: 1, keySize: 130, valueSize: 3 }),
  'states that last': { ...packed([90], small), fill: { cuSeqlens: constant(0, 90), decay: constant(-6, -5) } },
  'states that end at once': { ...packed([70], small), fill: { cuSeqlens: constant(0, 70), decay: constant(4, 5) } },
  'heads of tensor cores': packed([40, 3, 100], { keyHeads: 1, heads: 2, keySize: 128, valueSize: 128 }),
  'gates that saturate': {
    ...packed([70], small),
    fill: { cuSeqlens: constant(0, 70), a: scaled(30), b: scaled(30) },
  },
};
const published: Heads = { keyHeads: 16, heads: 32, keySize: 128, valueSize: 128 };
const benchmark = [packed([512], published)];

function headsOf(
  { T = 0, H = 0, V = 0 }: Readonly<Record<string, number>>,
  { keyHeads, keySize }: Readonly<Record<'keyHeads' | 'keySize', number>>,
): HeadSizes {
  return { tokens: T, keyHeads, heads: H, keySize, valueSize: V / H };
}

const isOnTensorCores = ({ keySize, valueSize }: HeadSizes, type: ActivationType): boolean =>
  type === 'bf16' && keySize === 128 && valueSize === 128;

export const gatedDeltaCases = casesFor(gatedDeltaOp, {
  shapes: [],
  hard,
  benchmark,
  reference: (inputs, { out }, { extents, attributes, activationType }) => {
    const heads = headsOf(extents, attributes);
    out.addAll(deltaRule(inputs, heads, numbersOf(inputs.cuSeqlens, extents.S ?? 0)).out, 4);
    if (isOnTensorCores(heads, activationType)) out.allowFactors();
  },
});

export const gatedDeltaBackwardCases = casesFor(gatedDeltaBackwardOp, {
  shapes: [],
  hard,
  benchmark,
  reference: ({ dout, decayGradient, shiftGradient, ...inputs }, outputs, context) => {
    const heads = headsOf(context.extents, context.attributes);
    const slopes = deltaSlopes(inputs, heads, numbersOf(inputs.cuSeqlens, context.extents.S ?? 0), dout);
    outputs.dqkv.addAll(slopes.dqkv, 16);
    outputs.da.addAll(slopes.da, 16);
    outputs.db.addAll(slopes.db, 16);
    const { decay, shift } = slopes.sizes;
    slopes.decay.forEach((value, h) => outputs.decayTotal.add(h, 0, decayGradient.at(h) + value, 16 * decay + 8));
    slopes.shift.forEach((value, h) => outputs.shiftTotal.add(h, 0, shiftGradient.at(h) + value, 16 * shift + 8));
    if (!isOnTensorCores(heads, context.activationType)) return;
    for (const name of ['dqkv', 'da', 'db'] as const) outputs[name].allowFactors();
    slopes.decay.forEach((_, h) => outputs.decayTotal.allow(h, 0, 4 * bf16Roundoff * decay));
    slopes.shift.forEach((_, h) => outputs.shiftTotal.allow(h, 0, 4 * bf16Roundoff * shift));
  },
});

const wide: Heads = { keyHeads: 2, heads: 4, keySize: 8, valueSize: 12 };

export const gatedDeltaCachedCases = casesFor(gatedDeltaCachedOp, {
  shapes: [],
  hard: {
    'a sequence begins': cached(oneSequence(1, 0), small),
    'the next token': cached(oneSequence(1, 9), wide),
    'a prompt': cached(oneSequence(100, 0), wide),
    'another part of a prompt': cached(oneSequence(70, 512), small),
    'sequences beside each other': beside(sequencesBeside, small),
    'sequences of heads that share keys': beside(sequencesBeside, wide),
    'the next tokens of several': beside(nextTokens, wide),
    'the next tokens of heads of 128': beside(nextTokens, { keyHeads: 1, heads: 2, keySize: 128, valueSize: 128 }),
  },
  benchmark: [{ ...cached(oneSequence(1, 511), published), optional: [] }, beside(sixteenAnswers, published)],
  reference: ({ state, positions, slots, ...inputs }, { out, next }, { extents, attributes, dtypes }) => {
    const heads = headsOf(extents, attributes);
    const [count, rows] = [dtypes.slots ? (extents.Q ?? 0) : 0, heads.heads * heads.keySize];
    const places = carriedPlaces({ state, positions, slots }, heads.tokens, { count, rows });
    const made = deltaRule(inputs as DeltaInputs, heads, places.ends, places.before);
    out.addAll(made.out, 4);
    next.addAll(places.after(made.states), 4);
  },
});
