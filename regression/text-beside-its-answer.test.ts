/**
 * `type: auto` took any row with a `text` or `content` for plain text: of `text` and `summary` the question alone was trained, of rows that
 * are one message each every message, as if it were a document. Columns that it did not know were refused without saying what to write.
 */
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { detectFormat, openFormat } from '../packages/core/src/datasets/formats/index.ts';
import { UserError } from '../packages/core/src/errors.ts';

type Row = Record<string, unknown>;

function adviceFor(...rows: Row[]): string {
  try {
    openFormat('auto', rows, {}, 'rows.jsonl');
  } catch (error) {
    if (error instanceof UserError) return error.next ?? '';
    throw error;
  }
  throw new Error('it was read');
}

/** What is read where a recipe holds the line that the refusal names. */
function readAsAdvised(row: Row): unknown {
  const [, line] = /write beside path: (.*?)(?:; type: completion.*)?$/.exec(adviceFor(row)) ?? [];
  const { type, field_instruction, field_output, field_messages, message_property_mappings, roles } = parse(
    `{${line}}`,
  );
  const options = {
    fieldInstruction: field_instruction ?? null,
    fieldOutput: field_output ?? null,
    fieldMessages: field_messages ?? null,
    messageProperties: message_property_mappings ?? null,
    roles: roles ?? null,
  };
  const content = openFormat(type, [row], options, 'rows.jsonl').read(row);
  return content.kind === 'chat' && content.messages.map(({ role, content: said }) => `${role}: ${String(said)}`);
}

test.each([
  ['text', 'summary'],
  ['text', 'label'],
  ['text', 'completion'],
  ['content', 'response'],
  ['source', 'target'],
  ['dialogue', 'summary'],
  ['inputs', 'targets'],
  ['human', 'assistant'],
  ['User question', 'My: answer'],
])('%s and %s are refused, and the advice makes them work', (question, answer) => {
  expect(readAsAdvised({ [question]: 'Q', [answer]: 'A' })).toEqual(['user: Q', 'assistant: A']);
});

test.each([
  { role: 'speaker', content: 'utterance', names: ['customer', 'agent'] },
  { role: 'role', content: 'value', names: ['user', 'assistant'] },
  { role: 'from', content: 'content', names: ['human', 'gpt'] },
])('so are messages with $role and $content', ({ role, content, names }) => {
  const talk = names.map((name, i) => ({ [role]: name, [content]: 'QA'[i] }));
  expect(readAsAdvised({ id: 1, talk })).toEqual(['user: Q', 'assistant: A']);
});

test("and Gemini's parts", () => {
  const contents = ['user', 'model'].map((role, i) => ({ role, parts: [{ text: 'QA'[i] }] }));
  expect(readAsAdvised({ contents })).toEqual(['user: Q', 'assistant: A']);
});

test('a text whose answer is no text, or that a mark stands beside, is a text', () => {
  for (const more of [{ label: 1 }, { label: 'true' }, { label: null }, { url: 'a', title: 'b' }, { source: 'web' }])
    expect(detectFormat([{ text: 'T', ...more }])?.format).toBe('completion');
  const row = { text: 'T', summary: 'S' };
  expect(adviceFor(row)).toMatch(/; type: completion, field: text trains the text alone$/);
  expect(openFormat('completion', [row], {}, 'a').read(row)).toEqual({ kind: 'text', text: 'T' });
});

test.each([
  [{ role: 'user', content: 'Q' }],
  [{ id: 7, role: 'prompter', text: 'Q', parent: null }],
  [{ from: 'human', value: 'Q' }],
])('a message a row is refused: %j', (row) => {
  expect(adviceFor(row, row)).toContain('write all messages of a conversation into one row');
});

test('of rows within an object the list is named', () => {
  const row = { version: '1.0', data: [{ instruction: 'Q', output: 'A' }] };
  expect(adviceFor(row)).toContain("jq -c '.data[]' FILE > rows.jsonl");
});

test('a problem and its solution are known, and the solution is trained, not the bare answer', () => {
  const row = { problem: 'Q', solution: 'S', answer: '42' };
  expect(detectFormat([row])?.read(row)).toMatchObject({ messages: [{ content: 'Q' }, { content: 'S' }] });
  expect(detectFormat([row])?.unread(row)).toEqual(['answer']);
});

test('a column of broken JSON is no plain text, and its refusal says so', () => {
  const lines = '{"role": "user", "content": "Q"}\n{"role": "assistant", "content": "A"}';
  for (const messages of [lines, '[{"role": "user", "content": "Q"', "{'role': 'user'}"])
    expect(adviceFor({ messages })).toBe(
      "the texts of 'messages' begin as JSON and are none: write them with json.dumps",
    );
  expect(detectFormat([{ poem: '[Verse] A' }])?.format).toBe('completion');
});

test.each([
  { chosen: 'Human: Q Assistant: A', rejected: 'Human: Q Assistant: B' },
  { instruction: 'Q', output: ['A', 'B'] },
  { question: 'Q', choices: ['x', 'y'], answer: 1 },
])('nothing is advised that would train something else: %j', (row) => {
  expect(adviceFor(row)).not.toMatch(/field_output: rejected|field: (?:instruction|question)/);
});

test('a thought among the parts of an answer is not trained as its text', () => {
  const parts = [{ text: 'a thought', thought: true }, { text: 'A' }];
  const row = {
    contents: [
      { role: 'user', parts: [{ text: 'Q' }] },
      { role: 'model', parts },
    ],
  };
  const messages = {
    messages: [
      { role: 'user', content: 'Q' },
      { role: 'assistant', content: parts },
    ],
  };
  expect(detectFormat([messages])?.read(messages)).toMatchObject({ kind: 'dropped', reason: 'malformed_row' });
  expect(detectFormat([row])?.read(row)).not.toMatchObject({ kind: 'conversation' });
});
