import { casesFor } from '../../src/cases/casesFor.ts';
import { addToStreamsOp, sumStreamsOp } from './op.ts';

const extents = (T: number, streams: number, D: number) => ({ T, D, W: streams * D });
const shapes = [extents(1, 1, 1), extents(5, 3, 33), extents(9, 3, 72), extents(0, 3, 8)];
const benchmark = extents(512, 3, 2048);

export const addToStreamsCases = casesFor(addToStreamsOp, {
  shapes,
  benchmark: [{ extents: benchmark }],
  reference: ({ x, added }, { y }, { extents: { T = 0, W = 0, D = 0 } }) => {
    for (let t = 0; t < T; t++) {
      for (let i = 0; i < W; i++) {
        y.add(t, i, x.at(t, i));
        y.add(t, i, added.at(t, i % D));
      }
    }
  },
});

const summed = (shape: ReturnType<typeof extents>) => ({ extents: shape, attributes: { width: shape.D } });

export const sumStreamsCases = casesFor(sumStreamsOp, {
  shapes: [],
  hard: Object.fromEntries(shapes.map((shape) => [`${shape.T} × ${shape.W} to ${shape.D}`, summed(shape)])),
  benchmark: [summed(benchmark)],
  reference: ({ x }, { sum }, { extents: { T = 0, W = 0, D = 0 } }) => {
    for (let t = 0; t < T; t++) for (let i = 0; i < W; i++) sum.add(t, i % D, x.at(t, i));
  },
});
