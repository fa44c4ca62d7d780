/** OpenAI's Responses API writes `type` beside the name of a tool: it was printed a second time, within the function. */
import { openReader } from '@anneal/core/datasets/formats/index';
import { toolDefinitions } from '@anneal/core/datasets/toolDefinitions';
import { expect, test } from 'vitest';

const weather = { name: 'weather', description: 'Of a city', parameters: { type: 'object', properties: {} } };
const expected = [{ type: 'function', function: weather }];

test.each([
  ['bare', weather],
  ['of the Responses API', { type: 'function', ...weather }],
  ['wrapped', { type: 'function', function: weather }],
  ['wrapped without a type', { function: weather }],
])('a definition that is %s', (_, tool) => {
  expect(toolDefinitions([tool], 'tools.json')).toEqual(expected);
  const row = {
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Yo' },
    ],
    tools: JSON.stringify([tool]),
  };
  expect(openReader(null, 'auto', [row], {}, 'rows.jsonl').read(row)).toMatchObject({ tools: expected });
});

test('another kind of tool stays as it is written', () => {
  const tool = { type: 'custom', name: 'grep' };
  expect(toolDefinitions([tool], 'tools.json')).toEqual([{ type: 'function', function: tool }]);
});
