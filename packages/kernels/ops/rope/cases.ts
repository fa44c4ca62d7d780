import { casesFor, constant } from '../../src/cases/casesFor.ts';
import { ropeOp, ropeTableOp } from './op.ts';

/** So many positions of one sequence, where the original context has 8. */
function longSequence(T: number) {
  const optional: 'long'[] = ['long'];
  return { extents: { T, P: 6, S: 2 }, attributes: { scale: 1, original: 8, beta: 0, factor: 0 }, optional };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

export const ropeTableCases = casesFor(ropeTableOp, {
  shapes: [
    { T: 1, P: 1, S: 2 },
    { T: 20, P: 33, S: 2 },
  ],
  attributes: [
    { scale: 1, original: 0, beta: 0, factor: 0 },
    { scale: 1.25, original: 0, beta: 0, factor: 0 },
  ],
  fill: {
    cuSeqlens:
      ({ extents: { T = 0 } }) =>
      (i) =>
        i * T,
    positions: () => (i) => i,
    inverse:
      ({ extents: { P = 1 } }) =>
      (p) =>
        10_000 ** (-p / P),
  },
  hard: {
    'far away': { extents: { T: 4, P: 8, S: 2 }, fill: { positions: constant(131_071, 100_003, 0) }, optional: [] },
    'short and long documents': {
      extents: { T: 20, P: 6, S: 5 },
      attributes: { scale: 1.19, original: 8, beta: 0, factor: 0 },
      fill: {
        cuSeqlens: constant(0, 8, 8, 17, 20),
        positions: constant(0, 1, 2, 3, 4, 5, 6, 7, 0, 1, 2, 3, 4, 5, 6, 7, 8),
      },
      optional: ['long', 'cuSeqlens'],
    },
    'a short sequence': longSequence(8),
    'a long sequence': longSequence(9),
    'dynamic NTK, short and long documents': {
      extents: { T: 40, P: 6, S: 4 },
      attributes: { scale: 1, original: 8, beta: 0, factor: 2.5 },
      fill: { cuSeqlens: constant(0, 8, 17, 40), positions: constant(...upTo(8), ...upTo(9), ...upTo(23)) },
      optional: ['cuSeqlens'],
    },
    'dynamic NTK, a long sequence': {
      extents: { T: 9, P: 33, S: 2 },
      attributes: { scale: 1, original: 8, beta: 0, factor: 4 },
      optional: [],
    },
    'queries that are scaled': {
      extents: { T: 40, P: 4, S: 2 },
      attributes: { scale: 1, original: 16, beta: 0.1, factor: 0 },
      optional: [],
    },
  },
  benchmark: [{ extents: { T: 512, P: 32, S: 2 }, attributes: { scale: 1, original: 0, beta: 0, factor: 0 } }],
  reference: (inputs, { cos, sin }, { extents: { T = 0, P = 0, S = 0 }, attributes, dtypes }) => {
    const { positions, inverse, long, cuSeqlens } = inputs;
    const { scale, original, beta, factor: growth } = attributes;
    const documents = dtypes.cuSeqlens ? Array.from({ length: S }, (_, i) => cuSeqlens.at(i)) : null;
    for (let t = 0; t < T; t++) {
      const document = documents ? documents.findLastIndex((end) => end <= t) : 0;
      const length = documents
        ? (documents[document + 1] as number) - (documents[document] as number)
        : positions.at(T - 1) + 1;
      const frequencies = dtypes.long && length > original ? long : inverse;
      const stretch = growth > 0 && length > original ? (growth * length) / original - (growth - 1) : 1;
      const frequency = (p: number) => Math.fround(frequencies.at(p) * stretch ** (-p / (P - 1)));
      const factor = beta === 0 ? scale : scale * (1 + beta * Math.log(1 + Math.floor(positions.at(t) / original)));
      for (let p = 0; p < P; p++) {
        const angle = Math.fround(positions.at(t) * (stretch === 1 ? frequencies.at(p) : frequency(p))); // rounded to float32: part of the definition
        cos.add(t, p, Math.cos(angle) * factor);
        sin.add(t, p, Math.sin(angle) * factor);
      }
    }
  },
});

const whole = (size: number, direction: number) => ({ direction, size, interleaved: 0, first: 0 });

export const ropeCases = casesFor(ropeOp, {
  shapes: [],
  hard: Object.fromEntries(
    [1, -1].flatMap((direction) => [
      [`one pair, ${direction}`, { extents: { T: 1, D: 2, P: 1 }, attributes: whole(2, direction) }],
      [`odd pairs, ${direction}`, { extents: { T: 7, D: 30, P: 5 }, attributes: whole(10, direction) }],
      [`as in SmolLM2, ${direction}`, { extents: { T: 40, D: 576, P: 32 }, attributes: whole(64, direction) }],
      [`a part of each head, ${direction}`, { extents: { T: 7, D: 48, P: 9 }, attributes: whole(24, direction) }],
      [
        `neighbors, ${direction}`,
        { extents: { T: 5, D: 40, P: 10 }, attributes: { direction, size: 20, interleaved: 1, first: 0 } },
      ],
      [
        `neighbors in a part, ${direction}`,
        { extents: { T: 5, D: 64, P: 8 }, attributes: { direction, size: 32, interleaved: 1, first: 0 } },
      ],
      [
        `the last of each head, ${direction}`,
        { extents: { T: 5, D: 60, P: 9 }, attributes: { direction, size: 30, interleaved: 0, first: 12 } },
      ],
      [
        `neighbors amid each head, ${direction}`,
        { extents: { T: 5, D: 60, P: 5 }, attributes: { direction, size: 30, interleaved: 1, first: 12 } },
      ],
      [`as in Phi-4-mini, ${direction}`, { extents: { T: 5, D: 384, P: 48 }, attributes: whole(128, direction) }],
      [
        `as in GLM-4, ${direction}`,
        { extents: { T: 5, D: 256, P: 32 }, attributes: { direction, size: 128, interleaved: 1, first: 0 } },
      ],
      [
        `as in DeepSeek-V3, ${direction}`,
        { extents: { T: 5, D: 384, P: 32 }, attributes: { direction, size: 192, interleaved: 1, first: 128 } },
      ],
      [
        `vectors amid each head, ${direction}`,
        { extents: { T: 5, D: 256, P: 16 }, attributes: { direction, size: 128, interleaved: 0, first: 32 } },
      ],
    ]),
  ),
  benchmark: [{ extents: { T: 512, D: 576, P: 32 }, attributes: whole(64, 1) }],
  reference: ({ x, cos, sin }, { y }, { extents: { T = 0, D = 0, P = 0 }, attributes: a }) => {
    const { direction, size, interleaved, first } = a;
    for (let t = 0; t < T; t++) {
      for (let head = 0; head < D; head += size) {
        const turned = head + first;
        for (let i = head; i < head + size; i++) if (i < turned || i >= turned + 2 * P) y.add(t, i, x.at(t, i));
        for (let p = 0; p < P; p++) {
          const [one, other] = interleaved ? [turned + 2 * p, turned + 2 * p + 1] : [turned + p, turned + P + p];
          const [low, high] = [x.at(t, one), x.at(t, other)];
          const [c, s] = [cos.at(t, p), direction * sin.at(t, p)];
          y.add(t, one, low * c);
          y.add(t, one, -high * s);
          y.add(t, other, high * c);
          y.add(t, other, low * s);
        }
      }
    }
  },
});
