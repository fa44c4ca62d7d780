import {
  compile,
  cpuDevice,
  type Device,
  Engine,
  Graph,
  linear,
  linearBackwardInputOp,
  Variables,
} from '@anneal/kernels';
import { random } from '../../random.ts';

/** Directions beside the wanted ones: with them those converge faster. */
const more = 32;
/** Of a weight of a language model they leave less of the wanted part than rounding to bfloat16 does. */
const iterations = 32;

/** The largest singular values of a matrix [N, K] with what they belong to. */
export interface Principal {
  /** Descending. */
  readonly values: Float64Array;
  /** Orthonormal rows, [rank, N] and [rank, K]. */
  readonly left: readonly Float64Array[];
  readonly right: readonly Float64Array[];
}

/**
 * The `rank` largest singular values of a matrix, by subspace iteration (Halko, Martinsson, Tropp 2011, algorithm 4.4): products on the
 * device in float32, all else in float64. The same matrix gives the same bits; a small one is decomposed exactly.
 * @param matrix [N, K] in float32
 */
export async function principal(
  matrix: Float32Array,
  [rows, columns]: readonly [number, number],
  rank: number,
  device: Device = cpuDevice(),
): Promise<Principal> {
  const width = Math.min(rows, columns, rank + more);
  const engine = productEngine([rows, columns], width, device);
  try {
    await engine.write('matrix', matrix, 'f32');
    const { uint32 } = random('principal', rows, columns);
    let right = orthonormal(Array.from({ length: width }, () => Float64Array.from({ length: columns }, uniform)));
    const times = width === Math.min(rows, columns) ? 2 : iterations;
    for (let i = 0; i < times; i++) {
      const left = orthonormal(await product(engine, 'times_rows', right));
      right = orthonormal(await product(engine, 'times_columns', left));
    }
    return ofProjection(await product(engine, 'times_rows', right), right, rank);
    function uniform(): number {
      return uint32() / 2 ** 31 - 1;
    }
  } finally {
    await engine.dispose();
  }
}

/** `times_rows`: [P, K] · matrixᵀ; `times_columns`: [P, N] · matrix. */
function productEngine([rows, columns]: readonly [number, number], width: number, device: Device): Engine {
  const variables = new Variables();
  const weightOf = () => variables.get('matrix', { shape: [rows, columns], dtype: 'f32', kind: 'weight' });
  const byRows = new Graph('times_rows', variables);
  byRows.result('product', linear(byRows.input('x', 'f32', [width, columns]), weightOf(), { bf16: false }));
  const byColumns = new Graph('times_columns', variables);
  const dy = byColumns.input('x', 'f32', [width, rows]);
  const { dx } = byColumns.apply(linearBackwardInputOp, { dy, weight: weightOf() }, { alpha: 1, bf16: 0 });
  byColumns.result('product', dx);
  return new Engine(compile([byRows, byColumns], { bounds: {}, activations: 'keep', device }), device);
}

async function product(engine: Engine, program: string, rows: readonly Float64Array[]): Promise<Float64Array[]> {
  const x = new Float32Array(rows.reduce((sum, row) => sum + row.length, 0));
  for (const [i, row] of rows.entries()) x.set(row, i * row.length);
  const { results } = await engine.run([{ program, extents: {}, inputs: { x }, results: ['product'] }]);
  const values = results[0] as Float32Array;
  const width = values.length / rows.length;
  return rows.map((_, i) => Float64Array.from(values.subarray(i * width, (i + 1) * width)));
}

/** Gram and Schmidt's, twice, so that rounding leaves nothing. A row that the others span becomes zeros. */
function orthonormal(rows: readonly Float64Array[]): Float64Array[] {
  const found: Float64Array[] = [];
  for (const given of rows) {
    const row = given.slice();
    const before = Math.sqrt(dot(row, row));
    for (const _ of [1, 2]) for (const other of found) addTo(row, other, -dot(row, other));
    const length = Math.sqrt(dot(row, row));
    found.push(length > 1e-7 * before ? row.map((value) => value / length) : row.fill(0));
  }
  return found;
}

/** @param projected matrix · rightᵀ, transposed: [P, N] */
function ofProjection(projected: readonly Float64Array[], right: readonly Float64Array[], rank: number): Principal {
  const { values, vectors } = eigen(projected.map((a) => Float64Array.from(projected, (b) => dot(a, b))));
  const order = [...values.keys()].toSorted((a, b) => (values[b] as number) - (values[a] as number)).slice(0, rank);
  const singular = Float64Array.from(order, (i) => Math.sqrt(Math.max(0, values[i] as number)));
  const combined = (rows: readonly Float64Array[], i: number, divisor: number) => {
    const sum = new Float64Array(rows[0]?.length ?? 0);
    for (const [j, row] of rows.entries()) addTo(sum, row, divisor === 0 ? 0 : at(vectors, j, i) / divisor);
    return sum;
  };
  return {
    values: singular,
    left: order.map((i, k) => combined(projected, i, singular[k] as number)),
    right: order.map((i) => combined(right, i, 1)),
  };
}

/** Of a symmetric matrix, by Jacobi's rotations; column i of `vectors` belongs to value i. */
function eigen(symmetric: readonly Float64Array[]): { values: number[]; vectors: Float64Array[] } {
  const a = symmetric.map((row) => row.slice());
  const vectors = a.map((_, i) => Float64Array.from(a, (__, j) => (i === j ? 1 : 0)));
  const size = Math.sqrt(a.reduce((sum, row) => sum + dot(row, row), 0));
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    for (let p = 0; p < a.length; p++) {
      for (let q = p + 1; q < a.length; q++) {
        off = Math.max(off, Math.abs(at(a, p, q)));
        rotate(a, vectors, p, q);
      }
    }
    if (off <= 1e-15 * size) break;
  }
  return { values: a.map((_, i) => at(a, i, i)), vectors };
}

function rotate(a: Float64Array[], vectors: Float64Array[], p: number, q: number): void {
  if (at(a, p, q) === 0) return;
  const theta = (at(a, q, q) - at(a, p, p)) / (2 * at(a, p, q));
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  const turn = (x: Float64Array, y: Float64Array, i: number, j: number) => {
    const [xi, yj] = [x[i] as number, y[j] as number];
    x[i] = c * xi - s * yj;
    y[j] = s * xi + c * yj;
  };
  for (const row of a) turn(row, row, p, q);
  for (let k = 0; k < a.length; k++) turn(a[p] as Float64Array, a[q] as Float64Array, k, k);
  for (const row of vectors) turn(row, row, p, q);
}

function at(rows: readonly Float64Array[], i: number, j: number): number {
  return (rows[i] as Float64Array)[j] as number;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

function addTo(sum: Float64Array, row: Float64Array, factor: number): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + factor * (row[i] as number);
}
