import type { RowRange } from '@anneal/formats/tensor';

type Values = Uint8Array | Float32Array;

/** Rows of ours with their columns as a file has them, in a fresh array. @param columns ranges of ours, in its order */
export function inFileColumns<V extends Values>(ours: V, rows: number, columns: readonly RowRange[]): V {
  return moved(ours, rows, columns, (to, from, stored, first, length) =>
    to.set(from.subarray(first, first + length), stored),
  );
}

/** The reverse. */
export function inOurColumns<V extends Values>(stored: V, rows: number, columns: readonly RowRange[]): V {
  return moved(stored, rows, columns, (to, from, at, first, length) => to.set(from.subarray(at, at + length), first));
}

function moved<V extends Values>(
  values: V,
  rows: number,
  columns: readonly RowRange[],
  move: (to: V, from: V, stored: number, ours: number, length: number) => void,
): V {
  const result = new (values.constructor as new (length: number) => V)(values.length);
  const width = columns.reduce((sum, { count }) => sum + count, 0);
  const unit = values.length / rows / width; // 1, or the bytes of an element
  for (let row = 0, at = 0; row < rows; row++) {
    for (const { first, count } of columns) {
      move(result, values, at, (row * width + first) * unit, count * unit);
      at += count * unit;
    }
  }
  return result;
}
