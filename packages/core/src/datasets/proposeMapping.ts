/** Which columns of a data set are the question, the answer, the messages: a proposal for a person to look at. */
import type { ColumnMapping, ProposedMapping } from '../protocol/columns.ts';
import type { RowValue } from './formats/format.ts';
import { columnsOf, guessMapping } from './formats/guessMapping.ts';
import { detectFormat, type RowReader } from './formats/index.ts';

/** @param rows the first of the data set */
export function proposeMapping(rows: readonly RowValue[]): ProposedMapping {
  const columns = columnsOf(rows);
  const reader = detectFormat(rows);
  if (reader) return { columns, mapping: mappingOf(reader), isKnown: true };
  return { columns, mapping: guessMapping(rows, columns), isKnown: false };
}

function mappingOf({ format, fields }: RowReader): ColumnMapping {
  switch (format) {
    case 'alpaca':
      return {
        type: 'alpaca',
        field_instruction: fields.instruction as string,
        field_input: fields.input as string,
        field_output: fields.output as string,
      };
    case 'completion':
      return { type: 'completion', field: fields.text as string };
    default:
      return { type: format as 'chat_template' | 'sharegpt', field_messages: fields.messages as string };
  }
}
