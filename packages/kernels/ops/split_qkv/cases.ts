import { casesFor } from '../../src/cases/casesFor.ts';
import { joinQkvOp, splitQkvOp } from './op.ts';

function shape(T: number, heads: number, kvHeads: number, size: number) {
  const [Q, M] = [heads * size, kvHeads * size];
  return { extents: { T, W: Q + 2 * M, Q, M }, attributes: { heads, kvHeads } };
}

const shapes = {
  'one value each': shape(1, 1, 1, 1),
  'odd heads': shape(5, 3, 1, 7),
  'heads of 128': shape(9, 4, 2, 128),
};
const benchmark = shape(512, 24, 8, 128);

export const splitQkvCases = casesFor(splitQkvOp, {
  shapes: [],
  hard: shapes,
  benchmark: [benchmark],
  reference: ({ x }, { q, k, v }, { extents: { T = 0, Q = 0, M = 0 } }) => {
    for (let t = 0; t < T; t++) {
      for (let i = 0; i < Q; i++) q.add(t, i, x.at(t, i));
      for (let i = 0; i < M; i++) k.add(t, i, x.at(t, Q + i));
      for (let i = 0; i < M; i++) v.add(t, i, x.at(t, Q + M + i));
    }
  },
});

export const joinQkvCases = casesFor(joinQkvOp, {
  shapes: Object.values(shapes).map(({ extents }) => extents),
  benchmark: [{ extents: benchmark.extents }],
  reference: ({ q, k, v }, { x }, { extents: { T = 0, Q = 0, M = 0 } }) => {
    for (let t = 0; t < T; t++) {
      for (let i = 0; i < Q; i++) x.add(t, i, q.at(t, i));
      for (let i = 0; i < M; i++) x.add(t, Q + i, k.at(t, i));
      for (let i = 0; i < M; i++) x.add(t, Q + M + i, v.at(t, i));
    }
  },
});
