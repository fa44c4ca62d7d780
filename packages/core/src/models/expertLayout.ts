import type { ExpertLayout } from './names.ts';

/** Of one expert's matrix, whose rows are outputs as we have it; a bias is a matrix of one column. */
export interface MatrixLayout extends ExpertLayout {
  readonly rows: number;
  readonly columns: number;
}

/** float32, or the bytes of elements of 2 or 4 each, aligned for any view. */
type Values = Float32Array | Uint8Array;

/** The matrix as we have it, in a fresh array. @param stored as the file holds it */
export function fromLayout<V extends Values>(stored: V, layout: MatrixLayout): V {
  const ours = emptyAs(stored);
  const [to, from] = [elementsOf(ours, layout), elementsOf(stored, layout)];
  forRows(layout, (row, first, step) => {
    const [start, end] = [row * layout.columns, (row + 1) * layout.columns];
    for (let here = start, there = first; here < end; here++, there += step) to[here] = from[there] as number;
  });
  return ours;
}

/** The reverse. */
export function toLayout<V extends Values>(ours: V, layout: MatrixLayout): V {
  const stored = emptyAs(ours);
  const [to, from] = [elementsOf(stored, layout), elementsOf(ours, layout)];
  forRows(layout, (row, first, step) => {
    const [start, end] = [row * layout.columns, (row + 1) * layout.columns];
    for (let here = start, there = first; here < end; here++, there += step) to[there] = from[here] as number;
  });
  return stored;
}

function emptyAs<V extends Values>(values: V): V {
  return (values instanceof Float32Array ? new Float32Array(values.length) : new Uint8Array(values.length)) as V;
}

/** Integers, as a copied float may become another NaN. */
function elementsOf(
  { buffer, byteOffset, byteLength }: Values,
  { rows, columns }: MatrixLayout,
): Uint16Array | Uint32Array {
  const count = rows * columns;
  const size = byteLength / count;
  if (size === 2) return new Uint16Array(buffer, byteOffset, count);
  if (size === 4) return new Uint32Array(buffer, byteOffset, count);
  throw new Error(`elements of ${size} bytes have no layout`);
}

/** Calls `each` with every row of ours, where its first element is in the file, and how far from there the next ones are. */
function forRows(
  { rows, columns, transposed, interleaved }: MatrixLayout,
  each: (row: number, first: number, step: number) => void,
): void {
  const half = rows / 2;
  for (let row = 0; row < rows; row++) {
    const stored = interleaved ? (row < half ? 2 * row : 2 * (row - half) + 1) : row;
    if (transposed) each(row, stored, rows);
    else each(row, stored * columns, 1);
  }
}
