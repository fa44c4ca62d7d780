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
  /** Boolean of a message that says whether it is trained. */
  readonly fieldTraining?: string | null;
}

/** A format with its fields settled: from a row to what it says, or why it says nothing. */
export interface RowReader {
  readonly format: string;
  /** The columns it reads, for showing what was found. */
  readonly fields: Readonly<Record<string, string>>;
  read(value: RowValue): Content | Dropped;
}

/** One way of writing data down. */
export interface DataFormat {
  readonly name: string;
  /** Null when the rows do not look like this format. */
  detect(rows: readonly RowValue[], options: FieldOptions): RowReader | null;
  /** The format as the recipe demands it, whatever the rows look like. */
  open(rows: readonly RowValue[], options: FieldOptions): RowReader;
}

/** Whether at least half of the rows hold what is looked for: what is wrong with the others shows when they are read. */
export function mostOf(rows: readonly RowValue[], holds: (row: RowValue) => boolean): boolean {
  const count = rows.filter(holds).length;
  return count > 0 && count * 2 >= rows.length;
}

/** KTO marks answers that are not to be imitated. */
export const badAnswer = (value: RowValue): Dropped | null =>
  value.label === false ? dropped('bad_answer', "the field 'label' marks the row as a bad answer") : null;

/** Text of a field that may be missing; null for anything that is not text. */
export function textOf(value: unknown): string | null {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : null;
}

/** A list that may be written as JSON in a text field, as in CSV. */
export function listOf(value: unknown): readonly unknown[] | null {
  if (Array.isArray(value)) return value;
  if (typeof value !== 'string' || !value.trimStart().startsWith('[')) return null;
  try {
    const parsed: unknown = JSON.parse(value);
    return Array.isArray(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

export const isObject = (value: unknown): value is RowValue =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
