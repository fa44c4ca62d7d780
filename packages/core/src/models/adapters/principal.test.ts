import { expect, test } from 'vitest';
import { random } from '../../random.ts';
import { principal } from './principal.ts';

function matrixOf(rows: number, columns: number, values: readonly number[]) {
  const { uint32 } = random('matrix', rows, columns);
  const row = (length: number) => Float64Array.from({ length }, () => uint32() / 2 ** 31 - 1);
  const terms = values.map((value) => ({ value, u: row(rows), v: row(columns) }));
  const matrix = new Float32Array(rows * columns);
  for (const { value, u, v } of terms)
    for (let i = 0; i < matrix.length; i++)
      matrix[i] = (matrix[i] as number) + value * (u[Math.floor(i / columns)] as number) * (v[i % columns] as number);
  return matrix;
}

function rest(matrix: Float32Array, columns: number, { values, left, right }: Awaited<ReturnType<typeof principal>>) {
  return matrix.map((value, i) => {
    const [n, k] = [Math.floor(i / columns), i % columns];
    return values.reduce((sum, s, r) => sum - s * (left[r]?.[n] ?? 0) * (right[r]?.[k] ?? 0), value);
  });
}

const norm = (values: Float32Array) => Math.hypot(...values);

test.each([
  [40, 24],
  [24, 40],
  [160, 130],
])('%i x %i of rank 3 is its three largest singular values', async (rows, columns) => {
  const matrix = matrixOf(rows, columns, [5, 1, 0.2]);
  const three = await principal(matrix, [rows, columns], 3);
  expect(norm(rest(matrix, columns, three)) / norm(matrix)).toBeLessThan(1e-6);
  expect([...three.values]).toEqual([...three.values].toSorted((a, b) => b - a));
  expect(await principal(matrix, [rows, columns], 3)).toEqual(three);
  // Without the third it is not all of the matrix, and what is missing is the third value.
  const two = await principal(matrix, [rows, columns], 2);
  expect(norm(rest(matrix, columns, two)) / (three.values[2] as number)).toBeCloseTo(1, 4);
});

test('a matrix of zeros has none', async () => {
  const { values, left } = await principal(new Float32Array(12 * 8), [12, 8], 2);
  expect([...values]).toEqual([0, 0]);
  expect(left.flatMap((row) => [...row]).every((value) => value === 0)).toBe(true);
});
