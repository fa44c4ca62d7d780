import { type Message, THOUGHTS, type ToolCall } from '../types.ts';
import { readFlags } from './flags.ts';
import { isGiven, isObject, jsonIn, listOf, type RowValue, textWithin } from './format.ts';
import type { KnownRole } from './roles.ts';

/** How the messages of a data set are written. */
export interface MessageLayout {
  /** Our name of a part of a message → the data's. */
  readonly properties: Readonly<Record<string, string>> & { readonly role: string; readonly content: string };
  /** Flags that say whether a message is trained. */
  readonly flags: readonly string[];
}

/** A message, and whether the row itself says that it is trained. */
export interface ReadMessage {
  readonly message: Message;
  readonly train: boolean | null;
}

/** One message in the templates' shape, or what is wrong with it. */
export function readMessage(
  item: RowValue,
  { role, isCall }: KnownRole,
  { properties, flags }: MessageLayout,
): ReadMessage | string {
  const train = readFlags(item, flags);
  if (typeof train === 'string') return train;
  const renamed = new Map(Object.entries(properties).map(([ours, theirs]) => [theirs, ours]));
  const message: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(item)) {
    // A table gives every message every field; null stands for one that was not written.
    if (!flags.includes(key) && value !== null) message[renamed.get(key) ?? key] = value;
  }
  const whole = withContent({ ...message, role }, isCall, properties.content);
  return typeof whole === 'string' ? whole : { message: whole, train };
}

function withContent(message: RowValue & { role: string }, isCall: boolean, field: string): Message | string {
  const { content } = message;
  const thoughts = THOUGHTS.find((name) => isGiven(message[name]) && typeof message[name] !== 'string');
  if (thoughts !== undefined) return `has a '${thoughts}' that is not text`;
  if (isCall) {
    const calls = typeof content === 'string' ? readCalls(content) : null;
    if (calls === null) return 'is a function call, but its content is not {"name": …, "arguments": …}';
    return { ...message, content: null, tool_calls: calls };
  }
  const { tool_calls: written, function_call: older, ...rest } = message;
  // OpenAI's older form of a single call.
  const given = written ?? (older === undefined ? undefined : [older]);
  const calls = given === undefined ? [] : listOf(given)?.map(readToolCall);
  if (calls === undefined || calls.includes(null))
    return 'has tool_calls that are not a list of functions with names and a JSON object of arguments';
  const whole = calls.length === 0 ? rest : { ...rest, tool_calls: calls as readonly ToolCall[] };
  if (content === undefined) return calls.length === 0 ? `has no '${field}'` : { ...whole, content: null };
  if (typeof content === 'string' || isResult(message)) return { ...whole, content };
  if (!Array.isArray(content)) return `has a '${field}' that is neither text nor a list of parts`;
  if (content.some((part) => isObject(part) && part.thought === true))
    return 'has a thought among its parts (write it as reasoning_content of the message)';
  const texts = content.map(textOfPart);
  const other = texts.indexOf(null);
  if (other !== -1)
    return `has a part of type ${typeOf(content[other])} that holds no text, and the model reads text only`;
  return { ...whole, content: texts.join('') };
}

/** What a tool gave may be any value; a list whose items all have a type is one of parts. */
function isResult({ role, content }: RowValue): boolean {
  if (role !== 'tool') return false;
  return !Array.isArray(content) || content.length === 0 || !content.every((part) => isObject(part) && 'type' in part);
}

/** OpenAI writes a text as parts too, `[{"type": "text", "text": "…"}]`; templates of text models take one string. */
const textOfPart = (part: unknown): string | null =>
  isObject(part) && TEXT_PARTS.has(part.type) && typeof part.text === 'string' ? part.text : null;

/** The longer names are those of OpenAI's Responses API; Gemini's parts have no type. */
const TEXT_PARTS: ReadonlySet<unknown> = new Set(['text', 'input_text', 'output_text', undefined]);

const typeOf = (part: unknown): string => JSON.stringify((isObject(part) && part.type) || null);

/** An object, also one that is written as JSON text. */
function objectIn(value: unknown): RowValue | null {
  const object = typeof value === 'string' ? jsonIn(value) : value;
  return isObject(object) ? object : null;
}

/** ShareGPT writes calls as JSON text: one, or a list of them. */
function readCalls(text: string): readonly ToolCall[] | null {
  const value = jsonIn(text);
  const calls = (Array.isArray(value) ? value : [value]).map(readToolCall);
  return calls.length === 0 || calls.includes(null) ? null : (calls as readonly ToolCall[]);
}

/** Of a call without arguments. */
const CALL_FIELDS: ReadonlySet<string> = new Set(['name', 'id', 'type', 'index', 'arguments', 'parameters']);

/** `{name, arguments}`, bare or as OpenAI's `{type: function, function: …}`. Its arguments stay as they are written: an object, or JSON as text. */
export function readToolCall(written: unknown): ToolCall | null {
  const value = objectIn(written);
  if (value === null) return null;
  const call = objectIn(value.function) ?? value;
  if (typeof call.name !== 'string') return null;
  const id = typeof value.id === 'string' || typeof value.id === 'number' ? { id: String(value.id) } : {};
  const givenArguments = call.arguments ?? call.parameters;
  // Arguments under a name that is not known would be left out without a word.
  if (givenArguments === undefined && Object.keys(call).some((key) => !CALL_FIELDS.has(key) && isGiven(call[key])))
    return null;
  const args = givenArguments ?? {};
  const given = typeof args === 'string' && args.trim() === '' ? {} : args; // a call without any
  if (objectIn(given) === null) return null;
  return { ...id, type: 'function', function: { name: call.name, arguments: given } };
}

/**
 * Definitions, bare or in OpenAI's wrapping, which templates expect; as objects, or JSON as text. Null for none, undefined for what cannot
 * be read.
 */
export function readTools(value: unknown): readonly unknown[] | null | undefined {
  // json.dumps writes `null` where there are none.
  if (!isGiven(value) || (typeof value === 'string' && ['', 'null'].includes(value.trim()))) return null;
  const given = typeof value === 'string' ? jsonIn(textWithin(value)) : value;
  const list = (Array.isArray(given) ? given : [given]).map((tool) => (typeof tool === 'string' ? jsonIn(tool) : tool));
  if (!list.every(isDefinition)) return undefined;
  if (list.length === 0) return null;
  return list.map((tool) => {
    if (isObject(tool.function)) return 'type' in tool ? tool : { type: 'function', ...tool };
    const { type, ...bare } = tool; // OpenAI's Responses API has it beside the name
    return { type: 'function', function: type === 'function' ? bare : tool };
  });
}

const isDefinition = (tool: unknown): tool is RowValue =>
  isObject(tool) && (isObject(tool.function) || typeof tool.name === 'string');
