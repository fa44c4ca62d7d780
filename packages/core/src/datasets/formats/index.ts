import { UserError } from '@anneal/formats/errors';
import { describeSource, type RawRow } from '../types.ts';
import { alpaca } from './alpaca.ts';
import { type AnswerMode, type AnswerReader, openAnswers } from './answers.ts';
import { chat } from './chat.ts';
import { completion } from './completion.ts';
import { withRowFlags } from './flags.ts';
import {
  type DataFormat,
  type FieldOptions,
  isGiven,
  isObject,
  isPythonList,
  mostOf,
  type RowReader,
  type RowValue,
} from './format.ts';
import { adviceFor } from './formatAdvice.ts';
import { prompt } from './prompt.ts';
import { openPrompts } from './prompts.ts';
import { sharegpt } from './sharegpt.ts';

export type { AnswerMode, AnswerReader } from './answers.ts';
export type { FieldOptions, RowReader } from './format.ts';

/** Every format, in the order in which they are tried. A new one is a file in this folder and a line here. */
export const FORMATS: readonly DataFormat[] = [chat, sharegpt, alpaca, completion, prompt];

/** The first format that the rows look like; null for none. */
export function detectFormat(rows: readonly RowValue[], options: FieldOptions = {}): RowReader | null {
  for (const format of FORMATS) {
    const reader = format.detect(rows, options);
    if (reader !== null) return withRowFlags(reader, rows, options);
  }
  return null;
}

/** Whether most rows hold a `rejected` answer beside the `chosen` one, which the reader leaves unread. */
export function leavesRejectedUnread({ fields }: Pick<RowReader, 'fields'>, rows: readonly RowValue[]): boolean {
  if (Object.values(fields).includes('rejected')) return false;
  return mostOf(rows, ({ chosen, rejected }) => Boolean(chosen && rejected));
}

/**
 * @param type a format's name, or `auto`
 * @param rows the first rows of the data set
 * @throws UserError `format_unknown` when `auto` finds none
 */
export function openFormat(type: string, rows: readonly RowValue[], options: FieldOptions, where: string): RowReader {
  if (type !== 'auto') {
    const format = FORMATS.find(({ name }) => name === type);
    if (format === undefined) throw new Error(`no data format is called ${type}`);
    return withRowFlags(format.open(rows, options), rows, options);
  }
  const reader = detectFormat(rows, options);
  if (reader !== null) return reader;
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const wordless = columns.filter((name) =>
    rows.every((row) => !isGiven(row[name]) || !['string', 'object'].includes(typeof row[name])),
  );
  const python = columns.filter((name) => rows.some((row) => isPythonList(row[name])));
  const why = wordless.length > 0 ? `: ${wordless.slice(0, 12).join(', ')} without text` : '';
  if (python.length > 0) {
    throw new UserError({
      what: `the column ${python.join(', ')} holds lists as Python prints them, not JSON`,
      where,
      next: 'write them with json.dumps, or the rows as JSONL or Parquet',
      code: 'python_lists',
    });
  }
  throw new UserError({
    what: `no known format has the fields ${columns.slice(0, 12).join(', ') || '(none)'}${why}`,
    where,
    next: `${adviceFor(rows)}${/\.[ct]sv$/i.test(where) ? '; the first line of the file has to name its columns' : ''}`,
    code: 'format_unknown',
  });
}

/** Rows at the beginning of a file by which its format is told. */
export const FORMAT_ROWS = 100;

/** As `openFormat`, or for rows that say which answers are preferred. @param answers null: they do not */
export function openReader(
  answers: AnswerMode | null,
  type: string,
  rows: readonly RowValue[],
  options: FieldOptions,
  where: string,
): RowReader | AnswerReader {
  refuseNestedPairs(rows, where);
  const open = (of: readonly RowValue[], fields: FieldOptions): RowReader => openFormat(type, of, fields, where);
  if (answers === null) return open(rows, options);
  return answers === 'sampled' ? openPrompts(rows, options, open) : openAnswers(answers, rows, options, open, where);
}

/** As `openReader`, of the first rows of a file. Where one has no fault, those that have one say nothing of the format. */
export function openReaderOf(
  rows: readonly RawRow[],
  answers: AnswerMode | null,
  type: string,
  options: FieldOptions,
  where: string,
): RowReader | AnswerReader {
  const sound = rows.filter(({ fault }) => fault === undefined);
  const values = (sound.length > 0 ? sound : rows).map(({ value }) => value);
  try {
    return openReader(answers, type, values, options, where);
  } catch (error) {
    const [first] = rows;
    throw first && sound.length === 0 && error instanceof UserError ? allFaulty(rows.length, first) : error;
  }
}

const allFaulty = (count: number, { source, fault }: RawRow): UserError =>
  new UserError({
    what:
      count === 1 ? `the only row cannot be used: ${fault}` : `none of the first ${count} rows can be used: ${fault}`,
    where: describeSource(source),
    next: 'repair or remove such rows; nothing was trained',
    code: 'malformed_row',
  });

/** OpenAI's file of preferences has the conversation within a column. */
function refuseNestedPairs(rows: readonly RowValue[], where: string): void {
  if (!mostOf(rows, isNestedPair)) return;
  throw new UserError({
    what: "the rows are in OpenAI's form for preferences, which is not read: the conversation is within 'input'",
    where,
    next: "write it in columns: jq -c '{prompt: .input.messages, tools: .input.tools, chosen: .preferred_output, rejected: .non_preferred_output}' FILE > rows.jsonl",
    code: 'format_unknown',
  });
}

const isNestedPair = ({ input, preferred_output: preferred }: RowValue): boolean =>
  isObject(input) && Array.isArray(input['messages']) && preferred !== undefined;
