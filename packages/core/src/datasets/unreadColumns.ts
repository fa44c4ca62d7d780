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
  const { source } = rendererFor(renderer, tools).template;
  return fields.filter((field) => !holdsWord(source, field)).map((field) => `messages[].${field}`);
}

/** Whether it stands there, and not only within a longer word. A dash may belong to a name, or be Jinja's: `{{-name-}}`. */
function holdsWord(text: string, name: string): boolean {
  const words = new Set(
    text.match(/[\p{L}\p{N}_]+/gu)?.concat(text.match(/[\p{L}\p{N}_]+(?:-[\p{L}\p{N}_]+)+/gu) ?? []),
  );
  return words.has(name) || (/[^\p{L}\p{N}_-]/u.test(name) && text.includes(name));
}
