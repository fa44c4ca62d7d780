import { casesFor } from '../../src/cases/casesFor.ts';
import { latentKeysValuesBackwardOp, latentKeysValuesOp, padHeadsOp, trimHeadsOp } from './op.ts';

function heads(T: number, count: number, [own, shared, valueSize]: readonly [number, number, number]) {
  return {
    extents: { T, U: count * (own + valueSize), R: shared, K: count * (own + shared) },
    attributes: { heads: count, valueSize },
  };
}

const hard = {
  'one value': heads(1, 1, [1, 1, 1]),
  'odd sizes': heads(5, 3, [7, 2, 5]),
  'values as large as keys': heads(4, 2, [24, 8, 32]),
  'as in DeepSeek-V3': heads(3, 4, [128, 64, 128]),
};
const benchmark = heads(512, 16, [128, 64, 128]);

/** `heads` with what the gradient has to be told. */
function withShared({ extents, attributes }: ReturnType<typeof heads>) {
  return { extents, attributes: { ...attributes, sharedSize: extents.R } };
}

/** Calls `each` with, of head h, where its part of up and of keys begins. */
function forHeads(count: number, up: number, key: number, each: (up: number, key: number) => void): void {
  for (let h = 0; h < count; h++) each(h * up, h * key);
}

export const latentKeysValuesCases = casesFor(latentKeysValuesOp, {
  shapes: [],
  hard,
  benchmark: [benchmark],
  reference: (inputs, { keys, values }, { extents: { T = 0, U = 0, R = 0, K = 0 }, attributes }) => {
    const own = K / attributes.heads - R;
    for (let t = 0; t < T; t++) {
      forHeads(attributes.heads, U / attributes.heads, K / attributes.heads, (up, key) => {
        for (let i = 0; i < own; i++) keys.add(t, key + i, inputs.up.at(t, up + i));
        for (let i = 0; i < R; i++) keys.add(t, key + own + i, inputs.shared.at(t, i));
        for (let i = 0; i < attributes.valueSize; i++) values.add(t, key + i, inputs.up.at(t, up + own + i));
      });
    }
  },
});

export const latentKeysValuesBackwardCases = casesFor(latentKeysValuesBackwardOp, {
  shapes: [],
  hard: Object.fromEntries(Object.entries(hard).map(([name, one]) => [name, withShared(one)])),
  benchmark: [withShared(benchmark)],
  reference: ({ dkeys, dvalues }, { dup, dshared }, { extents: { T = 0, U = 0, R = 0, K = 0 }, attributes }) => {
    const own = K / attributes.heads - R;
    for (let t = 0; t < T; t++) {
      forHeads(attributes.heads, U / attributes.heads, K / attributes.heads, (up, key) => {
        for (let i = 0; i < own; i++) dup.add(t, up + i, dkeys.at(t, key + i));
        for (let i = 0; i < R; i++) dshared.add(t, i, dkeys.at(t, key + own + i));
        for (let i = 0; i < attributes.valueSize; i++) dup.add(t, up + own + i, dvalues.at(t, key + i));
      });
    }
  },
});

function trimmed(T: number, count: number, size: number, kept: number) {
  return { extents: { T, W: count * size, N: count * kept }, attributes: { size, kept } };
}

const trims = {
  shapes: [],
  hard: { 'one of two': trimmed(1, 1, 2, 1), all: trimmed(3, 2, 5, 5), 'odd sizes': trimmed(7, 3, 19, 12) },
  benchmark: [trimmed(512, 16, 192, 128)],
};

/** Calls `each` with the columns of a value in whole heads and in trimmed ones. */
function forKept(
  W: number,
  { size, kept }: { size: number; kept: number },
  each: (whole: number, trim: number) => void,
) {
  for (let h = 0; h < W / size; h++) for (let i = 0; i < kept; i++) each(h * size + i, h * kept + i);
}

export const trimHeadsCases = casesFor(trimHeadsOp, {
  ...trims,
  reference: ({ x }, { y }, { extents: { T = 0, W = 0 }, attributes }) => {
    for (let t = 0; t < T; t++) forKept(W, attributes, (whole, trim) => y.add(t, trim, x.at(t, whole)));
  },
});

export const padHeadsCases = casesFor(padHeadsOp, {
  ...trims,
  reference: ({ y }, { x }, { extents: { T = 0, W = 0 }, attributes }) => {
    for (let t = 0; t < T; t++) forKept(W, attributes, (whole, trim) => x.add(t, whole, y.at(t, trim)));
  },
});
