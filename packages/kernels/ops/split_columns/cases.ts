import { casesFor } from '../../src/cases/casesFor.ts';
import { joinColumnsOp, splitColumnsOp } from './op.ts';

function parts(T: number, L: number, R: number) {
  return { T, L, R, W: L + R };
}

const shapes = [parts(1, 1, 1), parts(5, 3, 7), parts(9, 130, 64)];
const benchmark = parts(512, 512, 64);

export const splitColumnsCases = casesFor(splitColumnsOp, {
  shapes: [],
  hard: Object.fromEntries(
    shapes.map((extents) => [`${extents.L} of ${extents.W}`, { extents, attributes: { columns: extents.L } }]),
  ),
  benchmark: [{ extents: benchmark, attributes: { columns: benchmark.L } }],
  reference: ({ x }, { left, right }, { extents: { T = 0, L = 0, R = 0 } }) => {
    for (let t = 0; t < T; t++) {
      for (let i = 0; i < L; i++) left.add(t, i, x.at(t, i));
      for (let i = 0; i < R; i++) right.add(t, i, x.at(t, L + i));
    }
  },
});

export const joinColumnsCases = casesFor(joinColumnsOp, {
  shapes,
  benchmark: [{ extents: benchmark }],
  reference: ({ left, right }, { x }, { extents: { T = 0, L = 0, R = 0 } }) => {
    for (let t = 0; t < T; t++) {
      for (let i = 0; i < L; i++) x.add(t, i, left.at(t, i));
      for (let i = 0; i < R; i++) x.add(t, L + i, right.at(t, i));
    }
  },
});
