import { parseJson } from '../rowJson.ts';
import { type Content, type Dropped, dropped } from '../types.ts';

export type RowValue = Readonly<Record<string, unknown>>;

/** What a recipe says about the fields of a data set; everything that is left out is found in the data. */
export interface FieldOptions {
  readonly fieldMessages?: string | null;
  /** Our name of a part of a message (role, content, …) → the data's. */
  readonly messageProperties?: Readonly<Record<string, string>> | null;
  /** The template's role → the data's names of it. */
  readonly roles?: Readonly<Record<string, readonly string[]>> | null;
  readonly fieldSystem?: string | null;
  readonly fieldTools?: string | null;
  readonly fieldInstruction?: string | null;
  readonly fieldInput?: string | null;
  readonly fieldOutput?: string | null;
  /** Of a prompt that the recipe writes out: what is thought before the output, and the format that has a place for it. */
  readonly fieldThinking?: string | null;
  readonly promptFormat?: string | null;
  readonly fieldText?: string | null;
  /** Of preference pairs. */
  readonly fieldChosen?: string | null;
  readonly fieldRejected?: string | null;
  readonly fieldMargin?: string | null;
  /** Flag of a message that says whether it is trained. */
  readonly fieldTraining?: string | null;
}

/** A format with its fields settled: from a row to what it says, or why it says nothing. */
export interface RowReader {
  readonly format: string;
  /** The columns it finds its texts in, for showing what was found. */
  readonly fields: Readonly<Record<string, string>>;
  read(value: RowValue): Content | Dropped;
  /** Columns of this row that hold something and are not read. */
  unread(value: RowValue): string[];
}

/** One way of writing data down. */
export interface DataFormat {
  readonly name: string;
  /** Null when the rows do not look like this format. */
  detect(rows: readonly RowValue[], options: FieldOptions): RowReader | null;
  /** The format as the recipe demands it, whatever the rows look like. */
  open(rows: readonly RowValue[], options: FieldOptions): RowReader;
}

/** Columns of a system prompt. */
export const SYSTEMS = ['system', 'system_prompt'];

/** Columns of plain text. */
export const TEXTS = ['text', 'content'];

/** Whether at least half of the rows hold what is looked for: what is wrong with the others shows when they are read. */
export function mostOf(rows: readonly RowValue[], holds: (row: RowValue) => boolean): boolean {
  const count = rows.filter(holds).length;
  return count > 0 && count * 2 >= rows.length;
}

/** The first of these names that fits, as the rows spell it: in any case. Undefined for none. */
export function findColumn(
  rows: readonly RowValue[],
  names: readonly string[],
  fits: (column: string) => boolean = (column) => rows.some((row) => isGiven(row[column])),
): string | undefined {
  const columns = new Set(rows.flatMap((row) => Object.keys(row)));
  const spellings = (name: string): string[] => [...columns].filter((column) => sameName(column, name));
  return names.flatMap((name) => (columns.has(name) ? [name] : spellings(name))).find(fits);
}

/** A column as the rows spell it, where none of them spells it as the recipe does. */
export const spelledIn = (rows: readonly RowValue[], name: string): string =>
  findColumn(rows, [name], () => true) ?? name;

const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

export const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

/** Columns that hold something, apart from those that are read. */
export const columnsBeside =
  (read: readonly string[]) =>
  (value: RowValue): string[] =>
    Object.keys(value).filter((column) => !read.includes(column) && isGiven(value[column]));

/** Columns that say whether an answer is a good one; the second is LLaMA-Factory's. */
export const LABELS = ['label', 'kto_tag'];

/** KTO marks answers that are not to be imitated; a table may hold the mark as text. A number there is a class. */
export const labelOf = (value: unknown): boolean | null =>
  typeof value === 'boolean' || (typeof value === 'string' && /^(?:true|false)$/i.test(value))
    ? String(value).toLowerCase() === 'true'
    : null;

export const badAnswer = (value: RowValue, column: string): Dropped | null =>
  labelOf(value[column]) === false
    ? dropped('bad_answer', `the field '${column}' marks the row as a bad answer`)
    : null;

/** Text of a field that may be missing; null for anything that is not text. */
export function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : null;
}

/** What a text says that is JSON, as in CSV; undefined for any other text, and for one that a parser has to guess at. */
export function jsonIn(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    const { value, fault, disordered } = parseJson(text);
    return fault === null && !disordered ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A list of objects as Python prints it, which tables of pandas hold: no JSON, and no text to be trained. */
export const isPythonList = (value: unknown): boolean => typeof value === 'string' && /^\s*\[\s*\{\s*'/.test(value);

/** Text that begins as a list or an object in JSON, or as Python prints one. */
export const beginsAsJson = (value: unknown): boolean =>
  typeof value === 'string' && /^\s*[[{]\s*['"{]/.test(textWithin(value));

/** What a text says that was written as JSON twice: `"[{\\"role\\": …`. Any other text as it is. */
export function textWithin(text: string): string {
  if (!/^\s*"\s*[[{]/.test(text)) return text;
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}

/** A list that may be written as JSON in a text field. */
export function listOf(value: unknown): readonly unknown[] | null {
  const list = typeof value === 'string' ? jsonIn(textWithin(value)) : value;
  return Array.isArray(list) ? list : null;
}

export const isObject = (value: unknown): value is RowValue =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
