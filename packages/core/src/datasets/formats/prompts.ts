/** Rows of which only the question is read: the model answers them itself. */
import { UserError } from '@anneal/formats/errors';
import { type Content, type Dropped, dropped } from '../types.ts';
import { type FieldOptions, type RowReader, type RowValue } from './format.ts';

type OpenFormat = (rows: readonly RowValue[], options: FieldOptions) => RowReader;

/** Stands where formats look for an answer, in rows that have none or one that is no text. */
const ANSWER = 'chosen';
const PLACEHOLDER = 'an answer';

/** Reads a row by the format that it is in, and leaves out the answer at its end. All columns are for those who judge answers. */
export function openPrompts(rows: readonly RowValue[], options: FieldOptions, open: OpenFormat): RowReader {
  const { reader, answered } = readerOf(rows, options, open);
  return {
    format: reader.format,
    fields: reader.fields,
    unread: () => [],
    read: (value) => questionOf(reader.read(answered(value))),
  };
}

function readerOf(
  rows: readonly RowValue[],
  options: FieldOptions,
  open: OpenFormat,
): { reader: RowReader; answered: (value: RowValue) => RowValue } {
  const found = attempt(() => open(rows, options));
  if (found && found.format !== 'completion') {
    const { output } = found.fields;
    return { reader: found, answered: (value) => (output === undefined ? value : { ...value, [output]: PLACEHOLDER }) };
  }
  // A prompt without an answer is in no format, or looks like a plain text.
  const answered = (value: RowValue): RowValue => ({ ...value, [ANSWER]: PLACEHOLDER });
  return { reader: open(rows.map(answered), { ...options, fieldOutput: ANSWER }), answered };
}

function attempt(open: () => RowReader): RowReader | null {
  try {
    return open();
  } catch (error) {
    if (error instanceof UserError && error.code === 'format_unknown') return null;
    throw error;
  }
}

function questionOf(content: Content | Dropped): Content | Dropped {
  if (content.kind === 'dropped') return content;
  if (content.kind === 'text') return dropped('malformed_row', 'a plain text is no question');
  const count = 1 + content.messages.findLastIndex(({ role }) => role !== 'assistant');
  if (count === 0) return dropped('empty', 'the row asks nothing');
  const messages = content.messages.slice(0, count);
  return { ...content, messages, train: messages.map(() => false), isPrompt: true };
}
