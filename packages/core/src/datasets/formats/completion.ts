import { dropped } from '../types.ts';
import {
  columnsBeside,
  type DataFormat,
  findColumn,
  isPythonList,
  mostOf,
  type RowReader,
  spelledIn,
} from './format.ts';

const TEXTS = ['text', 'content'];

/** Plain text: `{"text": "…"}`, or the lines of a .txt file. All of it is trained. */
export const completion: DataFormat = {
  name: 'completion',
  detect(rows, { fieldText }) {
    const has = (name: string): boolean =>
      mostOf(rows, (row) => typeof row[name] === 'string' && (name === fieldText || !isPythonList(row[name])));
    const columns = new Set(rows.flatMap((row) => Object.keys(row)));
    const known = findColumn(rows, TEXTS, has);
    const field =
      (fieldText && spelledIn(rows, fieldText)) ?? known ?? (columns.size === 1 ? [...columns][0] : undefined);
    return field === undefined || !has(field) ? null : reader(field);
  },
  open: (rows, { fieldText }) => reader(spelledIn(rows, fieldText ?? 'text')),
};

function reader(field: string): RowReader {
  return {
    format: 'completion',
    fields: { text: field },
    unread: columnsBeside([field]),
    read(value) {
      const text = value[field];
      if (typeof text !== 'string') return dropped('malformed_row', `the field '${field}' is not text`);
      return text === '' ? dropped('empty', `the field '${field}' is empty`) : { kind: 'text', text };
    },
  };
}
