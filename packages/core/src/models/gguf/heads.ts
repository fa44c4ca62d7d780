/**
 * Rope turns pairs of rows of a head. Here and in Hugging Face's layout row i is paired with row i + headSize / 2;
 * GGUF's `llama` architecture pairs row 2i with row 2i + 1. Both functions reorder whole rows, of any element type.
 * @param bytes rows of equal length, all heads of q or k one after the other (a bias has rows of one element)
 */
export function interleaveHeads(bytes: Uint8Array, rowCount: number, headSize: number): Uint8Array {
  return reorderRows(bytes, rowCount, headSize, (row) => (row % 2) * (headSize / 2) + (row >> 1));
}

export function separateHeads(bytes: Uint8Array, rowCount: number, headSize: number): Uint8Array {
  return reorderRows(bytes, rowCount, headSize, (row) => (row % (headSize / 2)) * 2 + Math.floor(row / (headSize / 2)));
}

/** @param sourceRow for each row of a head the one it comes from */
function reorderRows(
  bytes: Uint8Array,
  rowCount: number,
  headSize: number,
  sourceRow: (row: number) => number,
): Uint8Array {
  const rowBytes = bytes.length / rowCount;
  if (!Number.isInteger(rowBytes) || rowCount % headSize !== 0) {
    throw new Error(`${bytes.length} bytes are not ${rowCount} rows in heads of ${headSize}`);
  }
  const result = new Uint8Array(bytes.length);
  for (let head = 0; head < rowCount; head += headSize) {
    for (let row = 0; row < headSize; row++) {
      const from = (head + sourceRow(row)) * rowBytes;
      result.set(bytes.subarray(from, from + rowBytes), (head + row) * rowBytes);
    }
  }
  return result;
}
