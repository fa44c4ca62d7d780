/** Rows that say which answers are preferred: a chosen and a rejected one to the same prompt, or one answer and a label. */
import { UserError } from '@anneal/formats/errors';
import { type Conversation, type Dropped, dropped, type JudgedAnswer, type Message, type Side } from '../types.ts';
import { flagOf } from './flags.ts';
import {
  type FieldOptions,
  findColumn,
  isGiven,
  isObject,
  LABELS,
  listOf,
  mostOf,
  type RowReader,
  type RowValue,
  spelledIn,
} from './format.ts';
import { usualRole } from './roles.ts';

/** `pairs`: two answers a row. `judged`: each answer with its label; a pair is two of them. `sampled`: none is read. */
export type AnswerMode = 'pairs' | 'judged' | 'sampled';

/** From a row to its judged answers, the chosen one first, or why it has none. */
export interface AnswerReader extends Omit<RowReader, 'read'> {
  read(value: RowValue): readonly JudgedAnswer[] | Dropped;
}

type OpenFormat = (rows: readonly RowValue[], options: FieldOptions) => RowReader;

/**
 * Reads a row as if it held one answer alone, by the format that it then is in.
 * @throws UserError `format_unknown` where no column holds what is wanted
 */
export function openAnswers(
  mode: Exclude<AnswerMode, 'sampled'>,
  rows: readonly RowValue[],
  options: FieldOptions,
  open: OpenFormat,
  where: string,
): AnswerReader {
  const column = (demanded: string | null | undefined, name: string): string | undefined =>
    demanded ? spelledIn(rows, demanded) : findColumn(rows, [name]);
  const label = findColumn(rows, LABELS, () => true);
  const chosen = column(options.fieldChosen, 'chosen');
  const rejected = column(options.fieldRejected, 'rejected');
  if (mode === 'judged' && label !== undefined) return labeled(rows, label, options, open);
  if (chosen !== undefined && rejected !== undefined) return paired(rows, chosen, rejected, options, open);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  throw new UserError({
    what: `no column says which answers are preferred; there are ${columns.slice(0, 12).join(', ') || 'none'}`,
    where,
    next:
      mode === 'pairs'
        ? `name the columns of both answers with field_chosen and field_rejected${label === undefined ? '' : `; from answers that '${label}' calls good or bad learns rl: kto`}`
        : 'give each row a `label` (true or false), or both answers in `chosen` and `rejected`',
    code: 'format_unknown',
  });
}

function labeled(rows: readonly RowValue[], label: string, options: FieldOptions, open: OpenFormat): AnswerReader {
  const without = (value: RowValue): RowValue => withoutColumns(value, [label]);
  const reader = open(rows.map(without), options);
  return {
    format: reader.format,
    fields: { ...reader.fields, label },
    unread: (value) => reader.unread(without(value)),
    read(value) {
      const side = sideOf(value[label]);
      if (side === null) return dropped('label_missing', `the field '${label}' is neither true nor false`);
      const content = reader.read(without(value));
      if (content.kind !== 'chat') return content.kind === 'dropped' ? content : noConversation();
      const from = 1 + content.messages.findLastIndex(({ role }) => role !== 'assistant');
      if (from === content.messages.length) return dropped('answer_missing', 'the row does not end with an answer');
      return [{ side, content: answerOnly(content, from) }];
    },
  };
}

function withoutColumns(value: RowValue, columns: readonly string[]): RowValue {
  return Object.fromEntries(Object.entries(value).filter(([column]) => !columns.includes(column)));
}

function sideOf(value: unknown): Side | null {
  const isGood = flagOf(value) ?? null;
  if (isGood === null) return null;
  return isGood ? 'chosen' : 'rejected';
}

/** The name that an answer's column has while its row is read. */
const ANSWER = 'chosen';

function paired(
  rows: readonly RowValue[],
  chosen: string,
  rejected: string,
  options: FieldOptions,
  open: OpenFormat,
): AnswerReader {
  const margin = options.fieldMargin ? spelledIn(rows, options.fieldMargin) : null;
  const only = (value: RowValue, column: string): RowValue => {
    const others = margin === null ? [chosen, rejected] : [chosen, rejected, margin];
    return { ...withoutColumns(value, others), [ANSWER]: value[column] };
  };
  const { fieldMessages } = options;
  const names = fieldMessages && rows.some((row) => fieldMessages in row) ? fieldMessages : null;
  const reader = open(
    rows.map((row) => only(row, chosen)),
    {
      ...options,
      // Where each answer is a whole conversation, that is all there is to read.
      fieldMessages: names ?? (mostOf(rows, (row) => beginsWithPrompt(row[chosen])) ? ANSWER : null),
      fieldOutput: ANSWER,
    },
  );
  const columns = { chosen, rejected };
  const readSide = (value: RowValue, side: keyof typeof columns): Conversation | Dropped => {
    const column = columns[side];
    if (!isGiven(value[column]) || isEmptyText(value[column])) {
      const state = value[column] === undefined ? 'missing' : 'empty';
      return dropped('answer_missing', `the row has no ${side} answer: the field '${column}' is ${state}`);
    }
    const content = reader.read(only(value, column));
    if (content.kind === 'dropped') {
      return ofSide(side, { ...content, detail: content.detail.replaceAll(`'${ANSWER}'`, `'${column}'`) });
    }
    return content.kind === 'chat' ? content : noConversation();
  };
  return {
    format: `${reader.format} pairs`,
    fields: { ...reader.fields, ...columns, ...(margin !== null && { margin }) },
    unread: (value) => reader.unread(only(value, chosen)),
    read(value) {
      const better = readSide(value, 'chosen');
      if (better.kind === 'dropped') return better;
      const worse = readSide(value, 'rejected');
      if (worse.kind === 'dropped') return worse;
      const from = commonMessages(better.messages, worse.messages);
      const most = Math.max(better.messages.length, worse.messages.length);
      if (from === most) return dropped('answers_equal', 'the chosen and the rejected answer say the same');
      for (const [side, { messages }] of [['chosen', better] as const, ['rejected', worse] as const]) {
        if (from === messages.length) return dropped('answer_missing', `the ${side} answer adds nothing to the prompt`);
      }
      const asked = [better, worse]
        .flatMap(({ messages }) => messages[from] ?? [])
        .find(({ role }) => role !== 'assistant');
      if (asked !== undefined) {
        const where = `message ${from + 1} (${asked.role})`;
        return dropped('malformed_row', `the answers are to different prompts, which differ from ${where} on`);
      }
      const by = margin === null ? undefined : numberIn(value[margin]);
      if (by === null) return dropped('malformed_row', `the field '${margin}' holds no number: the margin of the pair`);
      return [
        { side: 'chosen', content: answerOnly(better, from), margin: by },
        { side: 'rejected', content: answerOnly(worse, from) },
      ];
    },
  };
}

/** Said of one of two answers. */
export const ofSide = (side: Side, { reason, detail }: Dropped): Dropped =>
  dropped(reason, side === 'none' ? detail : `${side} answer: ${detail}`);

const noConversation = (): Dropped =>
  dropped('malformed_row', 'the answers are plain texts, and no column holds the prompt that they answer');

/** In a table it may stand as text. Null: none that float32 can hold. */
function numberIn(value: unknown): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(Math.fround(number)) ? Math.fround(number) : null;
}

const isEmptyText = (value: unknown): boolean => typeof value === 'string' && value.trim() === '';

function beginsWithPrompt(value: unknown): boolean {
  const first = (listOf(value) ?? [])[0];
  const role = isObject(first) ? usualRole(first.role ?? first.from)?.role : undefined;
  return role === 'system' || role === 'user';
}

/** Only what comes after the prompt is trained, and of that what the row does not exclude. */
function answerOnly(content: Conversation, from: number): Conversation {
  return { ...content, train: content.train.map((wanted, i) => (i < from ? false : wanted)) };
}

function commonMessages(a: readonly Message[], b: readonly Message[]): number {
  let count = 0;
  while (count < a.length && count < b.length && JSON.stringify(a[count]) === JSON.stringify(b[count])) count++;
  return count;
}
