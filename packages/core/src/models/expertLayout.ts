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
  forElements(layout, (here, there) => {
    to[here] = from[there] as number;
  });
  return ours;
}

/** The reverse. */
export function toLayout<V extends Values>(ours: V, layout: MatrixLayout): V {
  const stored = emptyAs(ours);
  const [to, from] = [elementsOf(stored, layout), elementsOf(ours, layout)];
  forElements(layout, (here, there) => {
    to[there] = from[here] as number;
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

/** Rows taken together: where a file has them as columns, these lie beside each other. */
const ROWS = 32;

/** Calls `each` with the place of every element in our matrix, and in the file's. */
function forElements(
  { rows, columns, transposed, interleaved }: MatrixLayout,
  each: (here: number, there: number) => void,
): void {
  const half = rows / 2;
  const storedRow = (row: number): number => (interleaved ? (row < half ? 2 * row : 2 * (row - half) + 1) : row);
  for (let first = 0; first < rows; first += ROWS) {
    const end = Math.min(first + ROWS, rows);
    for (let column = 0; column < columns; column++) {
      for (let row = first; row < end; row++) {
        const stored = storedRow(row);
        each(row * columns + column, transposed ? column * rows + stored : stored * columns + column);
      }
    }
  }
}
