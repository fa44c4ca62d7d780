import { dropped } from '../types.ts';
import { ANSWERS } from './alpaca.ts';
import {
  beginsAsJson,
  columnsBeside,
  type DataFormat,
  findColumn,
  isGiven,
  isPythonList,
  labelOf,
  mostOf,
  type RowReader,
  type RowValue,
  spelledIn,
  TEXTS,
} from './format.ts';
import { areSingleMessages } from './guessMapping.ts';

/** Plain text: `{"text": "…"}`, or the lines of a .txt file. All of it is trained. */
export const completion: DataFormat = {
  name: 'completion',
  detect(rows, { fieldText }) {
    const has = (name: string): boolean =>
      mostOf(rows, (row) => typeof row[name] === 'string' && (name === fieldText || !isPythonList(row[name])));
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    // The only column of a file is its text, unless it was to be something else.
    const [first = ''] = columns;
    const only = columns.length === 1 && isName(first) && !mostOf(rows, (row) => beginsAsJson(row[first]));
    const known = findColumn(rows, TEXTS, has);
    const field = (fieldText && spelledIn(rows, fieldText)) ?? known ?? (only ? first : undefined);
    if (field === undefined || !has(field)) return null;
    return fieldText || (!areSingleMessages(rows) && !answers(rows, field)) ? reader(field) : null;
  },
  open: (rows, { fieldText }) => reader(spelledIn(rows, fieldText ?? 'text')),
};

/** Of a table without a header the first row stands in its place, and would not be trained. */
const isName = (column: string): boolean => /^[\p{L}\p{N}_.-]+(?: [\p{L}\p{N}_.-]+)?$/u.test(column);

/** Whether a text stands beside a column that is likely its answer: which of them is to be trained has to be said. */
const answers = (rows: readonly RowValue[], text: string): boolean =>
  findColumn(
    rows,
    [...ANSWERS, 'target', 'summary', 'translation', 'label'],
    (name) =>
      name !== text &&
      mostOf(rows, (row) => [row[name]].flat().some((value) => typeof value === 'string' && isAnswer(value))),
  ) !== undefined;

const isAnswer = (text: string): boolean => isGiven(text) && labelOf(text) === null;

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
