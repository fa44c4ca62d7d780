import type { Imatrix, ImatrixEntry } from '@anneal/formats/gguf/imatrix';
import { UserError } from '../../errors.ts';
import { matrixCount, type StoredTensor } from '../../models/stored.ts';

/** How much the columns of a tensor's matrices count; of the one that holds row `first` of ours, or null: all alike. */
export type ColumnImportance = (first: number) => Float32Array | null;

/** What a column that was never anything but 0 still counts, of the mean: another text may reach it. */
const LEAST = 1e-6;

/**
 * Of a tensor in a GGUF file the means of the squares that its columns were multiplied with; null where the matrix has no entry.
 * @throws UserError where the entry belongs to a tensor of another shape
 */
export function importanceOf({ entries }: Imatrix, stored: StoredTensor, where: string): ColumnImportance | null {
  const { name, shape, rows, matrix } = stored;
  const entry = entries.get(name);
  if (!entry || matrix !== undefined) return null;
  const { sums, counts } = entry;
  const columns = shape.at(-1) ?? 1;
  const count = matrixCount(stored);
  if (counts.length !== count || sums.length !== counts.length * columns) {
    const has = `${counts.length} × ${sums.length / counts.length}`;
    throw imatrixOfAnother(
      where,
      `the importance matrix has ${has} values for ${name}, which has ${count} × ${columns} columns`,
    );
  }
  const matrices = Array.from(counts, (_, at) => means(entry, at, columns));
  if (count === 1) return () => matrices[0] ?? null;
  return (first) =>
    matrices[rows.findIndex((range) => first >= range.first && first < range.first + range.count)] ?? null;
}

export function imatrixOfAnother(where: string, what: string): UserError {
  return new UserError({
    what,
    where,
    next: 'take the importance matrix of this model',
    code: 'imatrix_of_another_model',
  });
}

/** Null of an expert that no token reached. */
function means({ sums, counts }: ImatrixEntry, matrix: number, columns: number): Float32Array | null {
  const count = counts[matrix] as number;
  const own = sums.subarray(matrix * columns, (matrix + 1) * columns);
  const least = (LEAST * own.reduce((sum, value) => sum + value, 0)) / columns;
  if (count === 0 || least === 0) return null;
  return own.map((sum) => Math.max(sum, least) / count);
}
