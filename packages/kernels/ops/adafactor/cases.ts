import { casesFor, constant, positives, scaled } from '../../src/cases/casesFor.ts';
import { adafactorOp, adafactorVectorOp } from './op.ts';

const epsilon = 1e-30;
const steady = { clip: constant(1), learningRate: constant(1e-3), step: constant(7) };
const matrix = { ...steady, row: positives, column: positives };
const vector = { ...steady, v: positives };

const keepAt = (step: number) => 1 - step ** -0.8;

function indices(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** What scales moves down to a root mean square of 1. */
function scaleOf(moves: readonly number[]): number {
  return 1 / Math.max(1, Math.sqrt(moves.reduce((sum, move) => sum + move * move, 0) / moves.length));
}

export const adafactorCases = casesFor(adafactorOp, {
  shapes: [
    { R: 1, C: 1 },
    { R: 3, C: 33 },
    { R: 129, C: 70 },
    { R: 2, C: 5000 },
    { R: 5000, C: 2 },
  ],
  attributes: [{ weightDecay: 0.01 }, { weightDecay: 0 }],
  fill: matrix,
  hard: {
    'first step': {
      extents: { R: 9, C: 20 },
      fill: { ...matrix, step: constant(1), row: constant(0), column: constant(0) },
    },
    'no gradient': { extents: { R: 5, C: 4 }, fill: { ...matrix, gradient: constant(0) } },
    'clipped, large gradients': {
      extents: { R: 40, C: 17 },
      fill: { ...matrix, clip: constant(0.01), gradient: scaled(1e6) },
    },
    'late step, large rate': {
      extents: { R: 33, C: 9 },
      fill: { ...matrix, step: constant(100_000), learningRate: constant(0.5) },
    },
  },
  benchmark: [{ extents: { R: 1024, C: 1024 }, attributes: { weightDecay: 0.01 } }],
  reference: (
    { parameter, gradient, row, column, clip, learningRate, step },
    { newParameter, newRow, newColumn },
    { extents: { R = 0, C = 0 }, attributes: { weightDecay } },
  ) => {
    const keep = keepAt(step.at(0));
    const g = (i: number, j: number) => gradient.at(i, j) * clip.at(0);
    const rows = indices(R).map(
      (i) => keep * row.at(i) + (1 - keep) * meanOf(indices(C).map((j) => g(i, j) ** 2 + epsilon)),
    );
    const columns = indices(C).map(
      (j) => keep * column.at(j) + (1 - keep) * meanOf(indices(R).map((i) => g(i, j) ** 2 + epsilon)),
    );
    const rowMean = meanOf(rows);
    const moves = rows.flatMap((r, i) => columns.map((c, j) => g(i, j) / Math.sqrt((r / rowMean) * c)));
    const stepSize = learningRate.at(0) * scaleOf(moves);
    for (const [i, value] of rows.entries()) newRow.add(i, 0, value);
    for (const [j, value] of columns.entries()) newColumn.add(j, 0, value);
    for (const [at, move] of moves.entries()) {
      const [i, j] = [Math.floor(at / C), at % C];
      newParameter.add(i, j, parameter.at(i, j) * (1 - learningRate.at(0) * weightDecay));
      newParameter.add(i, j, -stepSize * move);
    }
  },
});

export const adafactorVectorCases = casesFor(adafactorVectorOp, {
  shapes: [{ N: 1 }, { N: 33 }, { N: 2001 }],
  attributes: [{ weightDecay: 0.01 }, { weightDecay: 0 }],
  fill: vector,
  hard: {
    'first step': { extents: { N: 50 }, fill: { ...vector, step: constant(1), v: constant(0) } },
    'no gradient': { extents: { N: 9 }, fill: { ...vector, gradient: constant(0) } },
    'clipped, large gradients': {
      extents: { N: 40 },
      fill: { ...vector, clip: constant(0.01), gradient: scaled(1e6) },
    },
  },
  benchmark: [{ extents: { N: 4096 }, attributes: { weightDecay: 0.01 } }],
  reference: (
    { parameter, gradient, v, clip, learningRate, step },
    { newParameter, newV },
    { extents: { N = 0 }, attributes: { weightDecay } },
  ) => {
    const keep = keepAt(step.at(0));
    const squares = Array.from({ length: N }, (_, i) => {
      return keep * v.at(i) + (1 - keep) * ((gradient.at(i) * clip.at(0)) ** 2 + epsilon);
    });
    const moves = squares.map((square, i) => (gradient.at(i) * clip.at(0)) / Math.sqrt(square));
    const stepSize = learningRate.at(0) * scaleOf(moves);
    for (const [i, square] of squares.entries()) {
      newV.add(i, 0, square);
      newParameter.add(i, 0, parameter.at(i) * (1 - learningRate.at(0) * weightDecay));
      newParameter.add(i, 0, -stepSize * (moves[i] as number));
    }
  },
});
