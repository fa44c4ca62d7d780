/** Which columns are likely the question, the answer, the messages, where no format knows their names. */
import type { ColumnKind, ColumnMapping, FoundColumn } from '../../protocol/columns.ts';
import { isGiven, isObject, listOf, mostOf, type RowValue } from './format.ts';
import { usualRole } from './roles.ts';

const exampleCharacters = 120;

/** Words within a name, the likeliest first. */
const questionWords = [
  'instruction',
  'question',
  'prompt',
  'query',
  'problem',
  'request',
  'ask',
  'user',
  'human',
  'input',
  'source',
  'text',
  'document',
  'article',
  'dialogue',
  'content',
  'title',
  'q',
];
const sureAnswerWords = ['answer', 'answers', 'response', 'output', 'completion', 'reply', 'solution'];
const answerWords = [...sureAnswerWords, 'assistant', 'target', 'summary', 'highlights', 'translation', 'label', 'a'];
const inputWords = ['input', 'context', 'passage', 'document', 'background', 'article'];
const systemWords = ['system'];
const textWords = ['text', 'content', 'body', 'article', 'document', 'story', 'passage'];
const roleWords = ['role', 'from', 'speaker', 'author', 'sender', 'name'];
const contentWords = ['content', 'value', 'text', 'message', 'body', 'utterance', 'parts'];
const assistantWords = ['assistant', 'agent', 'bot', 'model', 'ai', 'support', 'doctor', 'teacher', 'answer'];

export const columnsOf = (rows: readonly RowValue[]): FoundColumn[] =>
  [...new Set(rows.flatMap((row) => Object.keys(row)))].map((name) => foundColumn(name, rows));

/** Whether each row is one message of a conversation, and none is in more than one row. */
export function areSingleMessages(rows: readonly RowValue[]): boolean {
  const columns = columnsOf(rows).filter(({ kind }) => kind === 'text');
  const role = named(
    columns.map(({ name }) => name),
    roleWords,
  );
  return role !== undefined && mostOf(rows, (row) => usualRole(row[role]) !== undefined);
}

/** Null where nothing is likely. */
export function guessMapping(rows: readonly RowValue[], columns = columnsOf(rows)): ColumnMapping | null {
  const found = conversationIn(rows, columns) ?? namedPairIn(columns);
  // Where answers are no text, neither the question alone is to be learned nor what stands beside it.
  if (found !== undefined || answersOtherThanText(columns).length > 0) return found ?? null;
  return pairIn(rows, columns) ?? textIn(columns);
}

/** Columns that are an answer by their names, and by what they hold none that can be trained. */
export const answersOtherThanText = (columns: readonly FoundColumn[]): string[] =>
  columns
    .filter(({ name, kind }) => kind !== 'text' && kind !== 'empty' && named([name], sureAnswerWords) !== undefined)
    .map(({ name }) => name);

function foundColumn(name: string, rows: readonly RowValue[]): FoundColumn {
  const values = rows.map((row) => row[name]).filter(isGiven);
  const [first] = values;
  const example = typeof first === 'string' ? first : (JSON.stringify(first) ?? '');
  const objects = values.flatMap((value) => listOf(value) ?? []).filter(isObject);
  return {
    name,
    kind: kindOf(name, rows, values),
    filled: rows.length === 0 ? 0 : values.length / rows.length,
    example: example.slice(0, exampleCharacters),
    properties: [...new Set(objects.flatMap((object) => Object.keys(object)))],
  };
}

function kindOf(name: string, rows: readonly RowValue[], values: readonly unknown[]): ColumnKind {
  if (values.length === 0) return 'empty';
  const most = (holds: (value: unknown) => boolean) =>
    mostOf(
      rows.filter((row) => isGiven(row[name])),
      (row) => holds(row[name]),
    );
  if (most((value) => listOf(value) !== null)) return 'list';
  if (most((value) => typeof value === 'string')) return 'text';
  return most((value) => typeof value === 'number' || typeof value === 'bigint') ? 'number' : 'other';
}

/** A list of objects with a field that says who speaks, and one for what is said. */
function conversationIn(rows: readonly RowValue[], columns: readonly FoundColumn[]): ColumnMapping | undefined {
  for (const { name, kind, properties } of columns) {
    if (kind !== 'list') continue;
    const [role, content] = [named(properties, roleWords), named(properties, contentWords)];
    if (role === undefined || content === undefined) continue;
    const speakers = rows
      .flatMap((row) => listOf(row[name]) ?? [])
      .flatMap((item) => (isObject(item) ? [item[role]] : []));
    const roles = rolesOf([...new Set(speakers.filter((speaker) => typeof speaker === 'string'))]);
    return {
      type: 'chat_template',
      field_messages: name,
      message_property_mappings: { role, content },
      ...(roles && { roles }),
    };
  }
  return undefined;
}

/** Whoever begins asks, unless a name says otherwise. */
function rolesOf(speakers: readonly string[]): ColumnMapping['roles'] | undefined {
  const unknown = speakers.filter((speaker) => usualRole(speaker) === undefined);
  if (unknown.length === 0) return undefined;
  const answering = named(unknown, assistantWords) ?? unknown.find((speaker) => speaker !== speakers[0]);
  const asking = unknown.filter((speaker) => speaker !== answering);
  return { ...(asking.length > 0 && { user: asking }), ...(answering !== undefined && { assistant: [answering] }) };
}

/** A question and its answer, by their names. */
function namedPairIn(columns: readonly FoundColumn[]): ColumnMapping | undefined {
  const { system, texts, question, answer } = namedTexts(columns);
  if (question === undefined || answer === undefined) return undefined;
  const input = named(
    texts.filter((name) => name !== question && name !== answer),
    inputWords,
  );
  return {
    type: 'alpaca',
    field_instruction: question,
    ...(input !== undefined && { field_input: input }),
    field_output: answer,
    ...(system !== undefined && { field_system: system }),
  };
}

/** Of two texts the one that is longer on average answers the other, where no name says otherwise. */
function pairIn(rows: readonly RowValue[], columns: readonly FoundColumn[]): ColumnMapping | undefined {
  const { texts, question, answer } = namedTexts(columns);
  if (texts.length !== 2) return undefined;
  const length = (name: string) =>
    rows.reduce((sum, row) => sum + (typeof row[name] === 'string' ? row[name].length : 0), 0);
  const [shorter, longer] = texts.toSorted((a, b) => length(a) - length(b)) as [string, string];
  const asked = question ?? (answer === undefined ? shorter : texts.find((name) => name !== answer));
  const answered = answer ?? (asked === longer ? shorter : longer);
  return { type: 'alpaca', field_instruction: asked as string, field_output: answered };
}

/** Columns of text apart from a system prompt, and which of them are a question and an answer by their names. */
function namedTexts(columns: readonly FoundColumn[]) {
  const all = textColumns(columns);
  const system = named(all, systemWords);
  const texts = all.filter((name) => name !== system);
  const answer = named(texts, answerWords);
  const question = named(
    texts.filter((name) => name !== answer),
    questionWords,
  );
  return { system, texts, question, answer };
}

function textIn(columns: readonly FoundColumn[]): ColumnMapping | null {
  const texts = textColumns(columns);
  const isAlone = texts.length === 1 && columns.every(({ kind }) => kind !== 'list' && kind !== 'other');
  const field = named(texts, textWords) ?? (isAlone ? texts[0] : undefined);
  return field === undefined ? null : { type: 'completion', field };
}

/** Answers that are rejected are nobody's to learn. */
const textColumns = (columns: readonly FoundColumn[]): string[] =>
  columns.filter(({ name, kind }) => kind === 'text' && !/^rejected/i.test(name)).map(({ name }) => name);

/** The first name that has one of the words in it, as `user_question`, `userQuestion` and `Question (user)` have. */
function named(names: readonly string[], words: readonly string[]): string | undefined {
  return words.map((word) => names.find((name) => wordsOf(name).includes(word))).find((name) => name !== undefined);
}

const wordsOf = (name: string): string[] =>
  name
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/);
