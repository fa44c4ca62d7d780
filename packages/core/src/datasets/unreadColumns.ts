import type { Template } from '../templates/template.ts';
import { type ChatRenderer, rendererFor } from './chatRenderer.ts';
import { isGiven } from './formats/format.ts';
import { type Conversation, type Message, THOUGHTS } from './types.ts';

/** Columns that hold something from which nothing is learned, each with the number of its rows. */
export type UnreadColumns = Readonly<Record<string, number>>;

/** `notes (12 rows), id (20 rows)` */
export function describeUnread(unread: UnreadColumns): string {
  return Object.entries(unread)
    .map(([column, rows]) => `${column} (${rows} ${rows === 1 ? 'row' : 'rows'})`)
    .join(', ');
}

/** Of classes that a text belongs to: numbers, mostly, which are no answers as they stand. */
const CLASSES = ['label', 'labels', 'class', 'category', 'sentiment', 'target', 'intent'];

/** What to write where a class is what was to be learned; null where none of the columns is called like one. */
export function adviceOnClass(unread: UnreadColumns): string | null {
  const name = Object.keys(unread).find((column) => CLASSES.includes(column.toLowerCase()));
  return name === undefined
    ? null
    : `if '${name}' is the answer to be learned, write it as words and name both columns: type: alpaca, field_instruction: …, field_output: ${name}`;
}

/** What to do about them. */
export function adviceOnUnread(unread: UnreadColumns): string {
  const advice = adviceOnClass(unread);
  return `${advice === null ? '' : `${advice}; `}if one belongs to the text, name it with the field_… keys of the data set, or write the prompt out with type: {format: …}; if one says which messages are trained, with message_field_training`;
}

/** Ids and names tie a call to its result; what else is named here is looked for in what the template prints. */
const KNOWN: ReadonlySet<string> = new Set(['role', 'content', 'tool_calls', 'id', 'tool_call_id', ...THOUGHTS]);
const isKnown = (field: string, { role }: Message): boolean =>
  KNOWN.has(field) || (field === 'name' && role === 'tool');

/** Fields of messages that hold something, say nothing about what is trained, and do not occur in the chat template. */
export function unreadFields({ messages, tools }: Conversation, renderer: ChatRenderer): string[] {
  const given = messages.flatMap((message) =>
    Object.keys(message).filter((field) => !isKnown(field, message) && isGiven(message[field])),
  );
  const fields = [...new Set(given)];
  if (fields.length === 0) return [];
  const { template } = rendererFor(renderer, tools);
  return fields.filter((field) => !holdsName(template, field)).map((field) => `messages[].${field}`);
}

/** Of templates that rows are asked about again and again. */
const words = new WeakMap<Template, ReadonlySet<string>>();

/** Whether its source has the name, and not only within a longer word. */
function holdsName(template: Template, name: string): boolean {
  const known = words.get(template) ?? wordsOf(template.source);
  words.set(template, known);
  return known.has(name) || (/[^\p{L}\p{N}_-]/u.test(name) && template.source.includes(name));
}

/** A dash may belong to a name, or be Jinja's: `{{-name-}}`. */
function wordsOf(text: string): ReadonlySet<string> {
  const dashed = text.match(/[\p{L}\p{N}_]+(?:-[\p{L}\p{N}_]+)+/gu) ?? [];
  return new Set([...(text.match(/[\p{L}\p{N}_]+/gu) ?? []), ...dashed]);
}
