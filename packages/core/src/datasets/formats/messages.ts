import { type Content, type Conversation, type Dropped, dropped, type Message, type ToolCall } from '../types.ts';
import {
  badAnswer,
  type FieldOptions,
  isObject,
  listOf,
  mostOf,
  type RowReader,
  type RowValue,
  textOf,
} from './format.ts';

/** How the messages of a data set are written. */
export interface MessageLayout {
  readonly format: string;
  readonly field: string;
  readonly role: string;
  readonly content: string;
}

/** The data's names of the roles that templates know. */
const ROLES: Readonly<Record<string, readonly string[]>> = {
  system: ['system'],
  user: ['user', 'human'],
  assistant: ['assistant', 'gpt', 'function_call'],
  tool: ['tool', 'observation'],
};
const SYSTEM_FIELDS = ['system', 'system_prompt'];

/**
 * Reads rows whose field `layout.field` lists messages; a preferred answer beside them (`chosen`) is their last one. Rows that KTO marks as bad
 * (`label: false`) are not to be imitated.
 */
export function messageReader(layout: MessageLayout, options: FieldOptions): RowReader {
  const { field } = layout;
  const properties = { role: layout.role, content: layout.content, ...options.messageProperties };
  const roleOf = new Map<string, string>();
  for (const [role, names] of Object.entries({ ...ROLES, ...options.roles }))
    for (const name of names) roleOf.set(name, role);
  const training = options.fieldTraining ?? 'train';
  const toolsField = options.fieldTools ?? 'tools';
  const systemFields = options.fieldSystem ? [options.fieldSystem] : SYSTEM_FIELDS;

  const read = (value: RowValue): Content | Dropped => {
    const list = listOf(value[field]);
    if (list === null) return dropped('malformed_row', `the field '${field}' is not a list of messages`);
    const bad = badAnswer(value);
    if (bad) return bad;
    const raw = isObject(value.chosen) && !('chosen' === field) ? [...list, value.chosen] : list;
    const messages: Message[] = [];
    const train: (boolean | null)[] = [];
    const system = systemFields.map((name) => value[name]).find((text) => typeof text === 'string' && text !== '');
    for (const [i, item] of raw.entries()) {
      const where = `message ${i + 1} of '${field}'`;
      if (!isObject(item)) return dropped('malformed_row', `${where} is not an object`);
      const name = item[properties.role];
      const role = typeof name === 'string' ? roleOf.get(name) : undefined;
      if (role === undefined) {
        return dropped(
          'bad_roles',
          `${where} has the role ${JSON.stringify(name ?? null)}, known are ${[...roleOf.keys()].join(', ')}`,
        );
      }
      const message = toMessage(item, role, name === 'function_call', properties, training);
      if (typeof message === 'string') return dropped('malformed_row', `${where} ${message}`);
      messages.push(message);
      train.push(typeof item[training] === 'boolean' ? item[training] : null);
    }
    if (messages.length === 0) return dropped('empty', `the field '${field}' holds no messages`);
    if (typeof system === 'string' && messages[0]?.role !== 'system') {
      messages.unshift({ role: 'system', content: system });
      train.unshift(null);
    }
    const tools = readTools(value[toolsField]);
    if (tools === undefined) return dropped('malformed_row', `the field '${toolsField}' is not a list of tools`);
    return { kind: 'chat', messages, train, tools } satisfies Conversation;
  };
  const fields = { messages: field, role: properties.role, content: properties.content };
  return { format: layout.format, fields, read };
}

/** One message in the templates' shape, or what is wrong with it. */
function toMessage(
  item: RowValue,
  role: string,
  isCall: boolean,
  properties: Readonly<Record<string, string>>,
  training: string,
): Message | string {
  const renamed = new Map(Object.entries(properties).map(([ours, theirs]) => [theirs, ours]));
  const message: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(item)) {
    // A table gives every message every field; null stands for one that was not written.
    if (key !== training && value !== null) message[renamed.get(key) ?? key] = value;
  }
  message.role = role;
  const content = message.content;
  if (isCall) {
    const calls = typeof content === 'string' ? readCalls(content) : null;
    if (calls === null) return 'is a function call, but its content is not {"name": …, "arguments": …}';
    return { ...message, role, content: '', tool_calls: calls };
  }
  const calls = message.tool_calls;
  if (calls !== undefined) {
    const list = listOf(calls)?.map(toCall);
    if (list === undefined || list.includes(null)) return 'has tool_calls that are not a list of functions with names';
    message.tool_calls = list;
    if (list.length === 0) delete message.tool_calls;
  }
  if (content === undefined) {
    if (message.tool_calls === undefined) return `has no '${properties.content}'`;
    return { ...message, role, content: '' };
  }
  if (typeof content === 'string') return { ...message, role, content };
  if (!Array.isArray(content)) return `has a '${properties.content}' that is neither text nor a list of parts`;
  const texts = content.map(textOfPart);
  const other = texts.indexOf(null);
  if (other !== -1)
    return `has a part of type ${typeOf(content[other])} that holds no text, and the model reads text only`;
  return { ...message, role, content: texts.join('') };
}

/** OpenAI writes a text as parts too, `[{"type": "text", "text": "…"}]`; templates of text models take one string. */
const textOfPart = (part: unknown): string | null =>
  isObject(part) && part.type === 'text' && typeof part.text === 'string' ? part.text : null;

const typeOf = (part: unknown): string => JSON.stringify((isObject(part) && part.type) || null);

/** ShareGPT writes calls as JSON text: one, or a list of them. */
function readCalls(text: string): readonly ToolCall[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const calls = (Array.isArray(value) ? value : [value]).map(toCall);
  return calls.length === 0 || calls.includes(null) ? null : (calls as readonly ToolCall[]);
}

/** `{name, arguments}`, bare or as OpenAI's `{type: function, function: …}`. */
function toCall(value: unknown): ToolCall | null {
  if (!isObject(value)) return null;
  const call = isObject(value.function) ? value.function : value;
  if (typeof call.name !== 'string') return null;
  const id = typeof value.id === 'string' ? { id: value.id } : {};
  return { ...id, type: 'function', function: { name: call.name, arguments: call.arguments ?? {} } };
}

/** Definitions, bare or in OpenAI's wrapping, which templates expect. Null for none, undefined for what cannot be read. */
function readTools(value: unknown): readonly unknown[] | null | undefined {
  if (textOf(value) === '') return null;
  const list = listOf(value);
  if (list === null || !list.every(isObject)) return undefined;
  if (list.length === 0) return null;
  return list.map((tool) =>
    tool.type === 'function' && isObject(tool.function) ? tool : { type: 'function', function: tool },
  );
}

/**
 * The first column whose values are lists of objects with these two fields, in most rows.
 * @param demanded the only column that will do, where the recipe names one
 * @param preferred columns to look at first
 */
export function findMessages(
  rows: readonly RowValue[],
  role: string,
  content: string,
  demanded: string | null | undefined,
  preferred: readonly string[],
): string | null {
  const columns = demanded ? [demanded] : new Set([...preferred, ...rows.flatMap((row) => Object.keys(row))]);
  const isMessage = (item: unknown): boolean =>
    isObject(item) && role in item && (content in item || 'tool_calls' in item);
  const isConversation = (value: unknown): boolean => {
    const list = listOf(value);
    return list !== null && list.length > 0 && list.every(isMessage);
  };
  for (const column of columns) if (mostOf(rows, (row) => isConversation(row[column]))) return column;
  return null;
}
