import { expect, test } from 'vitest';
import { unanswered } from './answering.ts';
import { saidIn, toolsOf } from './tools.ts';

const call = { id: 'call00000', type: 'function' as const, function: { name: 'clock', arguments: '{}' } };

test('calls that got results are messages before the answer, and those that got none are its text', () => {
  const text = 'I look.\n{"name": "clock", "arguments": {}}';
  const part = { text: 'I look.', calls: [{ ...call, result: 'noon' }] };
  const results = [
    { role: 'assistant', content: 'I look.', tool_calls: [call] },
    { role: 'tool', tool_call_id: 'call00000', name: 'clock', content: 'noon' },
  ];
  const answer = { ...unanswered('m', 0), text, calls: [call], callsAt: 7 };
  expect(saidIn(answer)).toEqual([{ role: 'assistant', content: text }]);
  expect(saidIn({ ...answer, earlier: [part] })).toEqual([...results, { role: 'assistant', content: text }]);
});

test('of tools that are no JSON it is said what to write, for there is no file to fetch again', () => {
  const error = expect.objectContaining({
    code: 'tools_invalid',
    what: expect.stringContaining('not readable as JSON'),
    next: expect.stringContaining('write a list such as'),
  });
  expect(() => toolsOf({ tools: '[{"name": "clock"' })).toThrow(error);
  expect(() => toolsOf({ tools: '{"a": 1, "a": 2}' })).toThrow(error);
});
