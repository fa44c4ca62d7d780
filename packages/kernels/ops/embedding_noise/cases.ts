import { casesFor, constant } from '../../src/cases/casesFor.ts';
import { philox } from '../dropout/cases.ts';
import { embeddingNoiseOp } from './op.ts';

const stream = 2 ** 32 - 1;

export const embeddingNoiseCases = casesFor(embeddingNoiseOp, {
  shapes: [
    { T: 1, N: 1, S: 2 },
    { T: 3, N: 7, S: 2 },
    { T: 37, N: 66, S: 2 },
  ],
  attributes: [{ alpha: 5 }, { alpha: 15 }],
  fill: {
    seed: constant(42, -7),
    cuSeqlens:
      ({ extents: { T = 0 } }) =>
      (i) =>
        i * T,
  },
  hard: {
    'documents, one of them empty': {
      extents: { T: 9, N: 5, S: 5 },
      fill: { seed: constant(1, 2), cuSeqlens: constant(0, 2, 2, 8, 9) },
    },
  },
  benchmark: [{ extents: { T: 512, N: 576, S: 2 }, attributes: { alpha: 5 } }],
  reference: ({ x, seed, cuSeqlens }, { y }, { extents: { T = 0, N = 0, S = 0 }, attributes: { alpha } }) => {
    for (let d = 0; d + 1 < S; d++) {
      const [from, end] = [cuSeqlens.at(d), cuSeqlens.at(d + 1)];
      const most = alpha / Math.sqrt((end - from) * N);
      for (let i = from * N; i < Math.min(end, T) * N; i++) {
        const words = philox([Math.floor(i / 4), 0, stream, 0], [seed.at(0), seed.at(1)]);
        const [t, n] = [Math.floor(i / N), i % N];
        y.add(t, n, x.at(t, n));
        y.add(t, n, (most * ((words[i % 4] as number) | 0)) / 2 ** 31);
      }
    }
  },
});
