/** What may become of a row, and which rows one may ask for. Browser-safe, and without a schema, which a page would have to load. */
import { DROP_REASONS } from '../datasets/types.ts';

export const ROW_VERDICTS = ['kept', 'truncated', ...DROP_REASONS] as const;
export type RowVerdict = (typeof ROW_VERDICTS)[number];

/** `problem`: rows that are not trained as they stand; `left_out`: those of which a part is not printed, or read as something else. */
export const ROW_FILTERS = ['all', 'problem', 'left_out', ...ROW_VERDICTS] as const;
export type RowFilter = (typeof ROW_FILTERS)[number];
