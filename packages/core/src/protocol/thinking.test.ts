import { expect, test } from 'vitest';
import { partThinking } from './thinking.ts';

const ANALYSIS = '<|channel|>analysis<|message|>';
const FINAL = '<|start|>assistant<|channel|>final<|message|>';
const CALL = '<|start|>assistant to=functions.weather<|channel|>commentary json<|message|>{"city":"Lyon"}';

test.each([
  ['', '<think>\nhm</think>so', '\nhm', 'so'],
  ['', 'hm</think>so', 'hm', 'so'],
  ['', 'so', null, 'so'],
  ['', '<think>cut', 'cut', ''],
  ['a question<think>\n', 'hm</think>so', 'hm', 'so'],
  ['a question<think>\n', 'cut', 'cut', ''],
  ['a question<think>\n', '', '', ''],
  ['what is <think>?', 'a tag', null, 'a tag'],
  ['<think>\n\n</think>\n\n', 'so', null, 'so'],
  ['<|start|>assistant', `${ANALYSIS}hm<|end|>${FINAL}so`, 'hm', 'so'],
  ['<|start|>assistant', `${ANALYSIS}hm<|end|><|start|>assistant${ANALYSIS}well<|end|>${FINAL}so`, 'hm\nwell', 'so'],
  ['<|start|>assistant', `${ANALYSIS}cut`, 'cut', ''],
  ['<|start|>assistant', `${ANALYSIS}hm<|end|><|start|>assistant<|channel|>fin`, 'hm', ''],
  ['<|start|>assistant', '<|channel|>final<|message|>so', null, 'so'],
  ['<|start|>assistant', '<|channel|>', null, ''],
  ['<|start|>assistant', `${ANALYSIS}hm<|end|>${CALL}`, 'hm', CALL],
  ['<|start|>assistant', 'so', null, 'so'],
  [`<|start|>assistant${ANALYSIS}`, `hm<|end|>${FINAL}so`, 'hm', 'so'],
  [`<|start|>assistant${ANALYSIS}`, 'cut', 'cut', ''],
])('behind %j, %j', (prompt, said, thinking, answer) => {
  expect(partThinking(said, prompt)).toEqual({ thinking, answer });
});
