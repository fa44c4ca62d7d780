import { casesFor, constant, scaled } from '../../src/cases/casesFor.ts';
import { muonApplyOp, muonDirectionOp } from './op.ts';

const shapes = [
  { R: 1, C: 1 },
  { R: 3, C: 33 },
  { R: 70, C: 9 },
].map(({ R, C }) => ({ R, C, M: Math.min(R, C), N: Math.max(R, C) }));
const wide = { R: 40, C: 50, M: 40, N: 50 };

/** Where element (i, j) of the matrix lies in one that is turned over if it is tall. */
const placeIn =
  (R: number, C: number) =>
  (i: number, j: number): [number, number] =>
    R > C ? [j, i] : [i, j];

export const muonDirectionCases = casesFor(muonDirectionOp, {
  shapes,
  attributes: [{ momentum: 0.95 }, { momentum: 0 }],
  fill: { clip: constant(1) },
  hard: {
    'first step': { extents: wide, fill: { clip: constant(1), m: constant(0) } },
    'no gradient yet': { extents: wide, fill: { clip: constant(1), gradient: constant(0), m: constant(0) } },
    'clipped, huge gradients': { extents: wide, fill: { clip: constant(0.01), gradient: scaled(1e12) } },
  },
  benchmark: [{ extents: { R: 1024, C: 1024, M: 1024, N: 1024 }, attributes: { momentum: 0.95 } }],
  reference: ({ gradient, m, clip }, { newM, direction }, { extents: { R = 0, C = 0 }, attributes: { momentum } }) => {
    const place = placeIn(R, C);
    const between = Array.from({ length: R * C }, (_, at) => {
      const [i, j] = [Math.floor(at / C), at % C];
      const g = gradient.at(i, j) * clip.at(0);
      const old = m.at(i, j);
      newM.add(i, j, momentum * old);
      newM.add(i, j, (1 - momentum) * g);
      const [ofGradient, ofMomentum] = [(1 - momentum ** 2) * g, momentum ** 2 * old];
      const size = Math.abs(ofGradient) + Math.abs(ofMomentum);
      return { at: place(i, j), value: ofGradient + ofMomentum, size };
    });
    const norm = Math.max(1e-7, Math.sqrt(between.reduce((sum, { value }) => sum + value * value, 0)));
    for (const { at, value, size } of between) direction.add(...at, value / norm, size / norm);
  },
});

export const muonApplyCases = casesFor(muonApplyOp, {
  shapes,
  attributes: [{ weightDecay: 0.01 }, { weightDecay: 0 }],
  fill: { learningRate: constant(1e-3) },
  hard: { 'large rate': { extents: wide, fill: { learningRate: constant(0.5) } } },
  benchmark: [{ extents: { R: 1024, C: 1024, M: 1024, N: 1024 }, attributes: { weightDecay: 0.01 } }],
  reference: (
    { parameter, direction, learningRate },
    { newParameter },
    { extents: { R = 0, C = 0 }, attributes: { weightDecay } },
  ) => {
    const rate = learningRate.at(0);
    const stepSize = rate * Math.sqrt(Math.max(1, R / C));
    const place = placeIn(R, C);
    for (let i = 0; i < R; i++)
      for (let j = 0; j < C; j++) {
        newParameter.add(i, j, parameter.at(i, j) * (1 - rate * weightDecay));
        newParameter.add(i, j, -stepSize * direction.at(...place(i, j)));
      }
  },
});
