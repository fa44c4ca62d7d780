import { describe, expect, it } from 'vitest';
import type { FieldOptions } from './format.ts';
import { detectFormat, FORMATS, openFormat } from './index.ts';

const read = (value: Record<string, unknown>, options: FieldOptions = {}) =>
  detectFormat([value], options)?.read(value);
const turns = (value: Record<string, unknown>, options: FieldOptions = {}): unknown => {
  const content = read(value, options);
  return content?.kind === 'chat' ? content.messages.map(({ role, content: text }) => `${role}: ${text}`) : content;
};
const user = { role: 'user', content: 'hi' };
const part = { type: 'text', text: 'h' };

describe('detection', () => {
  it.each([
    ['chat_template', { messages: [user] }],
    ['chat_template', { id: 1, dialogue: [user] }],
    ['chat_template', { messages: '[{"role": "user", "content": "hi"}]' }],
    ['sharegpt', { conversations: [{ from: 'human', value: 'hi' }] }],
    ['alpaca', { instruction: 'a', input: '', output: 'b' }],
    ['alpaca', { question: 'a', answer: 'b' }],
    ['completion', { text: 'a', meta: 1 }],
    ['completion', { story: 'a' }],
  ])('finds %s', (name, row) => {
    expect(detectFormat([row])?.format).toBe(name);
  });

  it('uses no other column than the one that was named', () => {
    const row = { messages: [user], talk: [{ role: 'user', content: 'other' }] };
    expect(detectFormat([row], { fieldMessages: 'talk' })?.fields.messages).toBe('talk');
    expect(detectFormat([row], { fieldMessages: 'speech' })).toBeNull();
  });

  it('says which fields there are when it finds nothing', () => {
    expect(() => openFormat('auto', [{ foo: 1, bar: 2 }], {}, 'x.jsonl')).toThrow(/foo, bar/);
    const numbers = [{ prompt: '2 + 2', completion: 4 }];
    expect(() => openFormat('auto', numbers, {}, 'x.jsonl')).toThrow(/prompt, completion: completion without text/);
  });

  it('opens every format by its name', () => {
    for (const { name } of FORMATS) expect(openFormat(name, [], {}, 'x.jsonl').format).toBe(name);
  });
});

describe('chat', () => {
  it('maps fields, roles and flags', () => {
    const options: FieldOptions = {
      fieldMessages: 'talk',
      messageProperties: { role: 'who', content: 'what' },
      roles: { assistant: ['bot'] },
      fieldTraining: 'learn',
    };
    const content = read(
      {
        talk: [
          { who: 'human', what: 'a' },
          { who: 'bot', what: 'b', learn: false, mood: 'calm' },
        ],
      },
      options,
    );
    expect(content).toEqual({
      kind: 'chat',
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b', mood: 'calm' },
      ],
      train: [null, false],
      tools: null,
    });
  });

  it('keeps tool calls, tools and a system prompt of its own column', () => {
    const call = { type: 'function', function: { name: 'f', arguments: { x: 1 } } };
    const content = read({
      system: 'Be kind.',
      tools: '[{"name": "f"}]',
      messages: [user, { role: 'assistant', content: null, tool_calls: [call] }],
    });
    expect(content).toMatchObject({
      messages: [
        { role: 'system', content: 'Be kind.' },
        user,
        { role: 'assistant', content: null, tool_calls: [call] },
      ],
      train: [null, null, null],
      tools: [{ type: 'function', function: { name: 'f' } }],
    });
  });

  it("takes a developer's message as the system's, as OpenAI's API names it", () => {
    expect(turns({ messages: [{ role: 'developer', content: 'Be kind.' }, user] })).toEqual([
      'system: Be kind.',
      'user: hi',
    ]);
  });

  it('joins the parts of a text', () => {
    expect(
      turns({ messages: [{ role: 'user', content: [part, { type: 'text', text: 'i', image_url: null }] }] }),
    ).toEqual(['user: hi']);
  });

  it('takes fields that a table filled with nulls as missing', () => {
    const content = read({ messages: [{ ...user, tool_calls: null, name: null }] });
    expect(content?.kind === 'chat' && content.messages).toStrictEqual([user]);
  });

  it.each([
    [[{ role: 'narrator', content: 'x' }], 'bad_roles', /narrator/],
    [[{ role: 'user', content: null }], 'malformed_row', /message 1.*has no 'content'/],
    [[{ role: 'user', content: 5 }], 'malformed_row', /neither text/],
    [[user, 'x'], 'malformed_row', /message 2.*not an object/],
    [
      [{ role: 'user', content: [part, { type: 'image_url' }] }],
      'malformed_row',
      /"image_url" that holds no text.*text only/,
    ],
    [[{ role: 'user', content: ['x'] }], 'malformed_row', /type null that holds no text/],
    [[{ role: 'user', content: [{ type: 'text' }] }], 'malformed_row', /no text/],
    [[{ role: 'assistant', content: '', tool_calls: [{}] }], 'malformed_row', /tool_calls/],
    [[], 'empty', /no messages/],
    ['x', 'malformed_row', /not a list/],
  ])('reports %j', (messages, reason, detail) => {
    const result = openFormat('chat_template', [], {}, '').read({ messages });
    expect(result).toMatchObject({ kind: 'dropped', reason });
    expect((result as { detail: string }).detail).toMatch(detail);
  });
});

describe('rows marked good or bad', () => {
  it.each([
    [{ messages: [{ role: 'user', content: 'hi' }] }],
    [{ conversations: [{ from: 'human', value: 'hi' }] }],
    [{ prompt: 'hi', completion: 'ho' }],
  ])('in %j: only the good ones are read', (row) => {
    const marked = (label: unknown) => read({ ...row, label });
    expect(marked(false)).toMatchObject({
      kind: 'dropped',
      reason: 'bad_answer',
      detail: expect.stringMatching(/bad/),
    });
    expect(marked('False')).toMatchObject({ reason: 'bad_answer' });
    for (const label of [true, 'True', undefined, null, 0, '0', ''])
      expect(marked(label)).toMatchObject({ kind: 'chat' });
  });

  it("but Alpaca's rows may have a label of their own", () => {
    expect(read({ instruction: 'hi', output: 'ho', label: false })).toMatchObject({ kind: 'chat' });
  });
});

describe('sharegpt', () => {
  it('reads function calls and observations as tool calls and tool messages', () => {
    const content = read({
      conversations: [
        { from: 'human', value: 'Order A?' },
        { from: 'function_call', value: '{"name": "look", "arguments": {"id": "A"}}' },
        { from: 'observation', value: '{"ok": true}' },
        { from: 'gpt', value: 'Shipped.' },
      ],
      tools: '[]',
    });
    expect(content).toMatchObject({
      messages: [
        { role: 'user', content: 'Order A?' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ type: 'function', function: { name: 'look', arguments: { id: 'A' } } }],
        },
        { role: 'tool', content: '{"ok": true}' },
        { role: 'assistant', content: 'Shipped.' },
      ],
      tools: null,
    });
  });

  it('reports a call that is none', () => {
    expect(read({ conversations: [{ from: 'function_call', value: 'look(A)' }] })).toMatchObject({
      reason: 'malformed_row',
    });
  });

  it('takes the chosen answer of a preference pair as the last message', () => {
    const row = {
      conversations: [{ from: 'human', value: 'a' }],
      chosen: { from: 'gpt', value: 'good' },
      rejected: { from: 'gpt', value: 'bad' },
    };
    expect(turns(row)).toEqual(['user: a', 'assistant: good']);
  });
});

describe('alpaca', () => {
  it('joins instruction and input, and puts history and system before them', () => {
    const row = { instruction: 'Add.', input: '1 2', output: '3', history: [['hi', 'hello']], system: 'Terse.' };
    expect(turns(row)).toEqual(['system: Terse.', 'user: hi', 'assistant: hello', 'user: Add.\n1 2', 'assistant: 3']);
  });

  it.each([
    [{ instruction: 'a', output: '' }, 'empty'],
    [{ instruction: '', output: 'b' }, 'empty'],
    [{ instruction: 'a', input: 4, output: 'b' }, 'malformed_row'],
    [{ instruction: 'a', output: 'b', history: [['x']] }, 'malformed_row'],
    [{ instruction: 'a', output: 'b', history: 'x' }, 'malformed_row'],
    [{ instruction: 'a', output: 'b', history: { x: 'y' } }, 'malformed_row'],
  ])('reports %j', (row, reason) => {
    expect(openFormat('alpaca', [], {}, '').read(row)).toMatchObject({ kind: 'dropped', reason });
  });
});

describe('completion', () => {
  it('takes the text as it is', () => {
    expect(read({ text: '  a\n' })).toEqual({ kind: 'text', text: '  a\n' });
    expect(read({ body: 'b', other: 1 }, { fieldText: 'body' })).toEqual({ kind: 'text', text: 'b' });
    expect(openFormat('completion', [], {}, '').read({ text: null })).toMatchObject({ reason: 'malformed_row' });
  });
});
