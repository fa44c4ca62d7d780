/**
 * Turns of `model`, `chatgpt` or `tool_call` were dropped with a list of names and no advice; a recipe that named one more role of the
 * assistant lost `gpt`; and LLaMA-Factory's `function_tag`, under a name of its own, was trained as the text of an answer.
 */
import { expect, test } from 'vitest';
import { type FieldOptions, openFormat } from '../packages/core/src/datasets/formats/index.ts';
import { importRecipe } from '../packages/core/src/recipe/import/index.ts';

const read = (turns: readonly (readonly [string, string])[], options: FieldOptions = {}) => {
  const row = { conversations: turns.map(([from, value]) => ({ from, value })) };
  return openFormat('auto', [row], options, 'rows').read(row);
};
const CALL = '{"name": "f", "arguments": {"x": 1}}';
const isCall = { role: 'assistant', content: null, tool_calls: [{ function: { name: 'f', arguments: { x: 1 } } }] };

test.each(['model', 'chatgpt', 'bing', 'bard', 'gpt', 'GPT', 'bot'])('%s answers', (role) => {
  expect(
    read([
      ['human', 'Q'],
      [role, 'A'],
    ]),
  ).toMatchObject({ messages: [{ role: 'user' }, { role: 'assistant' }] });
});

test.each([
  ['function_call', 'observation'],
  ['tool_call', 'tool_response'],
  ['Function_Call', 'ipython'],
])('%s calls, and %s is what came back', (call, result) => {
  expect(
    read([
      ['human', 'Q'],
      [call, CALL],
      [result, '{"y": 2}'],
      ['gpt', 'A'],
    ]),
  ).toMatchObject({
    messages: [{ role: 'user' }, isCall, { role: 'tool', content: '{"y": 2}' }, { role: 'assistant' }],
  });
});

test('what the refusal of a role says to write makes it work', () => {
  const turns = [
    ['human', 'Q'],
    ['agent', 'A'],
    ['call-of-a-tool', CALL],
    ['tool-result', '2'],
    ['gpt', 'B'],
  ] as const;
  const roles: Record<string, string[]> = {};
  for (const name of ['agent', 'call-of-a-tool', 'tool-result']) {
    const refused = read(turns, { roles }) as { detail: string };
    const [, role = '', said] = /roles: \{(\w+): \["(.*?)"\]\}/.exec(refused.detail) ?? [];
    expect(said).toBe(name);
    (roles[role] ??= []).push(name);
  }
  expect(roles).toEqual({ assistant: ['agent'], function_call: ['call-of-a-tool'], tool: ['tool-result'] });
  expect(read(turns, { roles })).toMatchObject({
    messages: [{ role: 'user' }, { role: 'assistant' }, isCall, { role: 'tool' }, { role: 'assistant' }],
  });
});

test("LLaMA-Factory's function_tag is a call under any name", () => {
  const tags = { user_tag: 'human', assistant_tag: 'gpt', function_tag: 'calling' };
  const info = { mine: { file_name: 'a.json', formatting: 'sharegpt', tags } };
  const { recipe, problems } = importRecipe('model_name_or_path: a/b\ndataset: mine\n', 'a.yaml', info);
  expect(problems).toEqual([]);
  const roles = recipe.datasets?.[0]?.roles ?? {};
  expect(
    read(
      [
        ['human', 'Q'],
        ['calling', CALL],
      ],
      { roles },
    ),
  ).toMatchObject({ messages: [{}, isCall] });
});
