import { PythonNumber } from '../../templates/values.ts';
import { dropped } from '../types.ts';
import { type FieldOptions, isGiven, type RowReader, type RowValue, spelledIn } from './format.ts';

/** `weight` is OpenAI's. */
const FLAGS = ['train', 'weight', 'loss'];

/** Fields that say whether something is trained. */
export const flagNames = ({ fieldTraining }: FieldOptions): readonly string[] =>
  fieldTraining && !FLAGS.includes(fieldTraining) ? [fieldTraining] : FLAGS;

/**
 * A yes or no, also as 0 or 1 and as text, as tables and OpenAI's `weight` have it. Null where none was written, undefined for
 * anything else.
 */
export function flagOf(value: unknown): boolean | null | undefined {
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return value;
  const number = value instanceof PythonNumber ? value.value : value;
  if (number === 0 || number === 1) return number === 1;
  if (typeof value !== 'string') return undefined;
  if (/^(?:true|1(?:\.0)?)$/i.test(value)) return true;
  return /^(?:false|0(?:\.0)?)$/i.test(value) ? false : undefined;
}

/** What the flags of a message or a row say together; a text says what is wrong with them. */
export function readFlags(item: RowValue, flags: readonly string[]): boolean | null | string {
  let train: boolean | null = null;
  for (const name of flags) {
    const flag = flagOf(item[name]);
    if (flag === undefined) {
      return `has '${name}': ${JSON.stringify(item[name])}, which is neither true nor false (name another field with message_field_training)`;
    }
    if (flag !== null && train !== null && flag !== train)
      return `is to be trained and not: ${flags.join(', ')} disagree`;
    train = flag ?? train;
  }
  return train;
}

/**
 * A flag beside the texts of a row holds for all of it. A field that the recipe names is one; a column of a usual name is where most of
 * what it holds are flags, and none a weight such as 0.7.
 */
export function withRowFlags(reader: RowReader, rows: readonly RowValue[], options: FieldOptions): RowReader {
  const isFlag = (name: string): boolean => {
    const given = rows.map((row) => row[name]).filter(isGiven);
    if (name === options.fieldTraining) return given.length > 0;
    if (given.some((value) => isNumber(value) && flagOf(value) === undefined)) return false;
    return given.filter((value) => flagOf(value) !== undefined).length * 2 > given.length;
  };
  const flags = flagNames(options)
    .map((name) => spelledIn(rows, name))
    .filter((name) => !Object.values(reader.fields).includes(name) && isFlag(name));
  if (flags.length === 0) return reader;
  return {
    ...reader,
    read(value) {
      const train = readFlags(value, flags);
      if (typeof train === 'string') return dropped('malformed_row', `the row ${train}`);
      if (train === false) return dropped('nothing_supervised', `the row says so itself: ${flags.join(', ')}`);
      return reader.read(value);
    },
    unread: (value) => reader.unread(value).filter((column) => !flags.includes(column)),
  };
}

const isNumber = (value: unknown): boolean => typeof value === 'number' || value instanceof PythonNumber;
