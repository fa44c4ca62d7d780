import { isDeepStrictEqual } from 'node:util';
import { type Content, type Dropped, dropped } from '../types.ts';
import { flagNames } from './flags.ts';
import {
  badAnswer,
  columnsBeside,
  type FieldOptions,
  findColumn,
  isGiven,
  isObject,
  isPythonList,
  LABELS,
  labelOf,
  listOf,
  mostOf,
  type RowReader,
  type RowValue,
  SYSTEMS,
  spelledIn,
} from './format.ts';
import { type ReadMessage, readMessage, readTools } from './message.ts';
import { roleNames } from './roles.ts';

/** The columns that one conversation stands in. */
export interface Columns {
  /** What the answer follows, where it has a column of its own. */
  readonly prompt: string | null;
  /** The whole conversation, or the answer to the prompt. */
  readonly messages: string;
}

/** What a message is called, and where its role and content stand. */
export interface Names {
  readonly format: string;
  readonly role: string;
  readonly content: string;
}

/** Columns with the messages before an answer, and with the answer. */
const PROMPTS = ['prompt', 'question', 'instruction', 'query', 'input', 'context'];
const ANSWERS = ['completion', 'chosen', 'response', 'answer', 'output', 'target'];

/**
 * Reads rows that hold a conversation: in one column, or a prompt in one and its answer in another. Of these the answer alone is trained.
 * Rows that KTO marks as bad (`label: false`) are not to be imitated.
 */
export function messageReader(
  { format, role, content }: Names,
  { prompt, messages: field }: Columns,
  rows: readonly RowValue[],
  options: FieldOptions,
): RowReader {
  const { fieldTools, fieldSystem } = options;
  const layout = {
    properties: { ...options.messageProperties, role, content },
    flags: flagNames(options),
  };
  const roleOf = roleNames(options.roles ?? {});
  const column = (demanded: string | null | undefined, names: readonly string[]): string =>
    demanded ? spelledIn(rows, demanded) : (findColumn(rows, names) ?? (names[0] as string));
  const tools = column(fieldTools, ['tools', 'functions']);
  const system = column(fieldSystem, SYSTEMS);
  const label = column(null, LABELS);

  /** The messages of a column. A text in place of a list is one message of `speaker`. */
  const messagesIn = (value: RowValue, name: string, speaker: string | null): ReadMessage[] | Dropped => {
    const given = value[name];
    if (speaker !== null && !isGiven(given)) return dropped('empty', `the field '${name}' is empty`);
    const list = speaker !== null && isObject(given) ? [given] : listOf(given);
    if (list === null || (speaker !== null && !list.every(isObject))) {
      if (speaker === null || typeof given !== 'string') {
        const why = isPythonList(given) ? ', but one as Python prints it: write JSON' : '';
        return dropped('malformed_row', `the field '${name}' is not a list of messages${why}`);
      }
      if (isPythonList(given))
        return dropped('malformed_row', `the field '${name}' is a list as Python prints it: write JSON`);
      return [{ message: { role: speaker, content: given }, train: null }];
    }
    const found: ReadMessage[] = [];
    for (const [i, item] of list.entries()) {
      const where = `message ${i + 1} of '${name}'`;
      if (!isObject(item)) return dropped('malformed_row', `${where} is not an object`);
      const written = item[role];
      const known = roleOf(written);
      if (known === undefined) {
        const said = `${where} has the role ${JSON.stringify(written ?? null)}, known are ${roleOf.all.join(', ')}`;
        if (typeof written !== 'string') return dropped('bad_roles', said);
        return dropped('bad_roles', `${said}; ${roleAdvice(written, found.at(-1)?.message.role)}`);
      }
      const message = readMessage(item, known, layout);
      if (typeof message === 'string') return dropped('malformed_row', `${where} ${message}`);
      found.push(message);
    }
    return found.length > 0 ? found : dropped('empty', `the field '${name}' holds no messages`);
  };

  const conversationOf = (value: RowValue): readonly ReadMessage[] | Dropped => {
    if (prompt === null) return messagesIn(value, field, null);
    const before = messagesIn(value, prompt, 'user');
    if ('kind' in before) return before;
    const answer = messagesIn(value, field, 'assistant');
    if ('kind' in answer) return answer;
    return (
      joined(before, answer) ??
      dropped('malformed_row', `the field '${field}' begins another conversation than that of '${prompt}'`)
    );
  };

  const read = (value: RowValue): Content | Dropped => {
    const bad = badAnswer(value, label);
    if (bad) return bad;
    const conversation = conversationOf(value);
    if ('kind' in conversation) return conversation;
    const instruction = value[system];
    if (isGiven(instruction) && typeof instruction !== 'string') {
      return dropped('malformed_row', `the field '${system}' is not text`);
    }
    const definitions = readTools(value[tools]);
    if (definitions === undefined) return dropped('malformed_row', `the field '${tools}' is not a list of tools`);
    const messages = conversation.map(({ message }) => message);
    const train = conversation.map((message) => message.train);
    if (typeof instruction === 'string' && instruction !== '' && messages[0]?.role !== 'system') {
      messages.unshift({ role: 'system', content: instruction });
      train.unshift(null);
    }
    return { kind: 'chat', messages, train, tools: definitions };
  };
  const columns = [field, system, tools, ...(prompt === null ? [] : [prompt])];
  const beside = columnsBeside(columns);
  /** A system message within the conversation stands in for the column's. */
  const isOverruled = (value: RowValue): boolean => {
    if (!isGiven(value[system])) return false;
    const row = read(value);
    return row.kind === 'chat' && row.messages[0]?.content !== value[system];
  };
  return {
    format,
    fields: { ...(prompt !== null && { prompt }), messages: field, role, content },
    read,
    unread: (value) => [
      ...beside(value).filter((name) => name !== label || labelOf(value[label]) === null),
      ...(isOverruled(value) ? [system] : []),
    ],
  };
}

/** The answer after its prompt, or the conversation that repeats the prompt before it; null where it begins as another. */
function joined(prompt: readonly ReadMessage[], answer: readonly ReadMessage[]): ReadMessage[] | null {
  const before = prompt.map(({ message, train }) => ({ message, train: train ?? false }));
  const opening = answer[0]?.message.role;
  if (opening !== 'user' && opening !== 'system') return [...before, ...answer];
  const repeats = prompt.every(({ message }, i) => {
    const other = answer[i]?.message;
    return other?.role === message.role && isDeepStrictEqual(other.content, message.content);
  });
  return repeats ? [...before, ...answer.slice(prompt.length)] : null;
}

function roleAdvice(name: string, before: string | undefined): string {
  const spoken = before === 'user' ? 'assistant' : 'user';
  const role = /call/i.test(name) ? 'function_call' : /tool|function|result/i.test(name) ? 'tool' : spoken;
  return `the recipe can say whose it is, such as roles: {${role}: [${JSON.stringify(name)}]} in the data set`;
}

const isRejected = (column: string): boolean => /^rejected/i.test(column);

/** Alpaca's earlier turns, beside a question and its answer. */
const isHistory = (rows: readonly RowValue[], column: string): boolean =>
  column.toLowerCase() === 'history' &&
  [PROMPTS, ANSWERS].every((names) =>
    findColumn(rows, names, (name) => mostOf(rows, (row) => typeof row[name] === 'string')),
  );

/**
 * Where most rows hold messages with these two fields: the first such column, and the one that goes with it. Null when there is none.
 * @param preferred columns to look at first
 */
export function findConversation(
  rows: readonly RowValue[],
  { role, content }: Names,
  options: FieldOptions,
  preferred: readonly string[],
): Columns | null {
  const isMessage = (item: unknown): boolean =>
    isObject(item) && role in item && (content in item || 'tool_calls' in item || 'function_call' in item);
  const listIn = (value: unknown): readonly unknown[] => {
    const list = isMessage(value) ? [value] : (listOf(value) ?? []);
    return list.every(isMessage) ? list : [];
  };
  const all = new Set([...preferred, ...ANSWERS, ...rows.flatMap((row) => Object.keys(row))]);
  const names = options.fieldMessages ? [options.fieldMessages] : [...all].filter((name) => !isHistory(rows, name));
  const found = findColumn(rows, names, (name) => mostOf(rows, (row) => listIn(row[name]).length > 0));
  if (found === undefined) return null;

  const roleOf = roleNames(options.roles ?? {});
  const speaks = (message: unknown, wanted: string): boolean =>
    isObject(message) && roleOf(message[role])?.role === wanted;
  const most = (column: string, holds: (value: unknown) => boolean): boolean =>
    column !== found && mostOf(rows, (row) => holds(row[column]));
  const isNamedAnswer = [...ANSWERS, 'rejected'].includes(found.toLowerCase());
  const isAnswer = mostOf(rows, (row) => speaks(listIn(row[found])[0], 'assistant'));
  const others = [...all].filter((column) => !isRejected(column));
  if (isNamedAnswer || isAnswer) {
    // Beside a whole conversation a prompt in text is a copy of what stands in it.
    const fits = (value: unknown): boolean => (isAnswer ? isGiven(value) : listIn(value).length > 0);
    const prompt =
      findColumn(rows, isAnswer ? PROMPTS : ['prompt'], (column) => most(column, fits)) ??
      (isAnswer
        ? findColumn(rows, others, (column) => most(column, (value) => speaks(listIn(value).at(-1), 'user')))
        : undefined);
    return { prompt: prompt ?? null, messages: found };
  }
  const isAnswered = mostOf(rows, (row) => speaks(listIn(row[found]).at(-1), 'assistant'));
  const isPrompt = found.toLowerCase() === 'prompt' || !isAnswered;
  const answer = isPrompt
    ? (findColumn(rows, ANSWERS, (column) => most(column, isGiven)) ??
      findColumn(rows, others, (column) => most(column, (value) => speaks(listIn(value)[0], 'assistant'))))
    : undefined;
  return answer === undefined ? { prompt: null, messages: found } : { prompt: found, messages: answer };
}
