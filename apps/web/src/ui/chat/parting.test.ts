import { expect, test } from 'vitest';
import { endBeforeCalls, partingText, partingToken, saidIn } from './parting.ts';

const token = (text: string) => ({ id: 1, text, logprob: 0, top: [] });

function said(text: string): unknown[] {
  const { thought, isThinking, start } = saidIn(text);
  return [thought, isThinking, text.slice(start)];
}

/** What stands before folded calls; null where none are folded. */
function folded(text: string, callsAt: number | null): string | null {
  const { start } = saidIn(text);
  const end = endBeforeCalls(text, callsAt, start);
  return end === null ? null : text.slice(start, end);
}

test('texts part at the first character that differs, and not while one may still go on as the others', () => {
  expect(partingText(['The ferry', 'The fox', 'The fern'])).toBe(5);
  expect(partingText(['Aye', 'No'])).toBe(0);
  expect(partingText(['The', 'The ferry'])).toBeNull();
  expect(partingText(['The', 'The'])).toBeNull();
  expect(partingText(['The', ''])).toBeNull();
  expect(partingText(['alone'])).toBeNull();
});

test('tokens part at the first that differs, the end of one included', () => {
  const tokens = ['The', ' ferry', '.'].map(token);
  expect(partingToken([tokens, ['The', ' fox'].map(token)])).toBe(1);
  expect(partingToken([tokens, tokens.slice(0, 2)])).toBe(2);
  expect(partingToken([tokens, tokens])).toBeNull();
  expect(partingToken([tokens, []])).toBeNull();
});

test('what a model thinks is found, finished or not, and where its template has opened it', () => {
  expect(said('<think>\nHm.\n</think>\n\nAye.')).toEqual(['Hm.', false, 'Aye.']);
  expect(said('Hm.</think>Aye.')).toEqual(['Hm.', false, 'Aye.']);
  expect(said('<think>Hm')).toEqual(['Hm', true, '']);
  expect(said('Say <think> to me.')).toEqual([null, false, 'Say <think> to me.']);
});

test('calls are folded behind a thought too, and not within one', () => {
  const thought = '<think>\nHm.\n</think>';
  expect(folded(`${thought}\n\n<tool_call>{}`, thought.length)).toBe('');
  expect(folded(`${thought}\n\nI look.\n<tool_call>{}`, thought.length + 9)).toBe('I look.');
  expect(folded('I look. {}', 7)).toBe('I look.');
  expect(folded('<think>{}</think>It is noon.', 7)).toBeNull();
  expect(folded(thought, null)).toBeNull();
});
