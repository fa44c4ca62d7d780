import { casesFor, constant } from '../../src/cases/casesFor.ts';
import { sigmoid } from '../../src/cases/mathematics.ts';
import { joinGateOp, sigmoidGateBackwardOp, sigmoidGateOp, splitGateOp } from './op.ts';

function heads(T: number, count: number, headSize: number) {
  return { extents: { T, N: count * headSize, W: 2 * count * headSize }, attributes: { headSize } };
}

const moved = {
  shapes: [],
  hard: { 'one value': heads(1, 1, 1), 'odd heads': heads(5, 3, 7), 'heads of several vectors': heads(9, 2, 72) },
  benchmark: [heads(512, 16, 256)],
};

/** Calls `each` with the columns of a query and its gate in x, and with their column apart. */
function forColumns(N: number, headSize: number, each: (query: number, gate: number, column: number) => void): void {
  for (let column = 0; column < N; column++) {
    const query = column + Math.floor(column / headSize) * headSize;
    each(query, query + headSize, column);
  }
}

export const splitGateCases = casesFor(splitGateOp, {
  ...moved,
  reference: ({ x }, { q, gate }, { extents: { T = 0, N = 0 }, attributes: { headSize } }) => {
    for (let t = 0; t < T; t++) {
      forColumns(N, headSize, (queryColumn, gateColumn, column) => {
        q.add(t, column, x.at(t, queryColumn));
        gate.add(t, column, x.at(t, gateColumn));
      });
    }
  },
});

export const joinGateCases = casesFor(joinGateOp, {
  ...moved,
  reference: ({ q, gate }, { x }, { extents: { T = 0, N = 0 }, attributes: { headSize } }) => {
    for (let t = 0; t < T; t++) {
      forColumns(N, headSize, (queryColumn, gateColumn, column) => {
        x.add(t, queryColumn, q.at(t, column));
        x.add(t, gateColumn, gate.at(t, column));
      });
    }
  },
});

const gated = {
  shapes: [
    { T: 1, N: 1, G: 1 },
    { T: 3, N: 19, G: 19 },
    { T: 40, N: 257, G: 257 },
    { T: 5, N: 33, G: 1 },
    { T: 7, N: 120, G: 3 },
    { T: 3, N: 4104, G: 1 },
    { T: 0, N: 8, G: 1 },
  ],
  hard: {
    'gates that saturate': { extents: { T: 2, N: 20, G: 20 }, fill: { gate: constant(1000, -1000, 60, -60, 0) } },
  },
  benchmark: [{ extents: { T: 512, N: 4096, G: 4096 } }, { extents: { T: 512, N: 2048, G: 1 } }],
};

export const sigmoidGateCases = casesFor(sigmoidGateOp, {
  ...gated,
  reference: ({ x, gate }, { y }, { extents: { T = 0, N = 0, G = 0 } }) => {
    for (let t = 0; t < T; t++) {
      for (let n = 0; n < N; n++) y.add(t, n, x.at(t, n) * sigmoid(gate.at(t, Math.floor((n * G) / N))));
    }
  },
});

export const sigmoidGateBackwardCases = casesFor(sigmoidGateBackwardOp, {
  ...gated,
  reference: ({ dy, x, gate }, { dx, dgate }, { extents: { T = 0, N = 0, G = 0 } }) => {
    for (let t = 0; t < T; t++) {
      for (let n = 0; n < N; n++) {
        const g = Math.floor((n * G) / N);
        const s = sigmoid(gate.at(t, g));
        dx.add(t, n, dy.at(t, n) * s);
        const d = dy.at(t, n) * x.at(t, n) * s;
        dgate.add(t, g, d * (1 - s), Math.abs(d)); // 1 - σ has the absolute error of σ
      }
    }
  },
});
