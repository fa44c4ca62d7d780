import { expect, test } from 'vitest';
import { callsIn } from './toolCalls.ts';

const tools = [{ type: 'function', function: { name: 'clock', parameters: {} } }];
const written = '{"name": "clock", "arguments": {"of": "Lima"}}';

function found(answer: string) {
  const { content, calls } = callsIn(answer, tools);
  return [content, calls.map(({ function: { arguments: given } }) => given)];
}

test('what a model thinks of calling is no call', () => {
  const answer = `<think>I could call ${written}, or [${written}].</think>`;
  expect(found(`${answer}It is noon.`)).toEqual([`${answer}It is noon.`, []]);
  expect(found(`${answer}\n\n<tool_call>${written}`)).toEqual([answer, ['{"of": "Lima"}']]);
  expect(found(`Maybe ${written}.</think>Noon.`)).toEqual([`Maybe ${written}.</think>Noon.`, []]);
  expect(found(`<think>Maybe ${written}`)).toEqual([`<think>Maybe ${written}`, []]);
});

test('an argument that speaks of thoughts ends none', () => {
  const argument = '{"of": "</think>"}';
  expect(found(`{"name": "clock", "arguments": ${argument}}`)).toEqual(['', [argument]]);
});
