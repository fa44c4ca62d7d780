/**
 * The chosen and the rejected conversation of a row asked different things, and their answers were compared as if they were to one
 * prompt. What is wrong with a rejected answer was said of the column `chosen`.
 */
import { openReader } from '@anneal/core/datasets/formats/index';
import { expect, test } from 'vitest';

type Row = Record<string, unknown>;
const say = (role: string) => (content: string) => ({ role, content });
const [system, user, answer] = [say('system'), say('user'), say('assistant')];

/** Read with whole pairs before it, as a row among others. */
function read(row: Row) {
  const whole = { chosen: [user('q'), answer('good')], rejected: [user('q'), answer('bad')] };
  return openReader('pairs', 'auto', [whole, whole, row], {}, 'rows.jsonl').read(row);
}

test.each([
  ['questions', [user('q'), answer('good')], [user('other'), answer('bad')], 1],
  ['system messages', [system('s'), user('q'), answer('good')], [user('q'), answer('bad')], 1],
  [
    'later questions after the same answer',
    [user('q'), answer('a'), user('q2'), answer('good')],
    [user('q'), answer('a'), user('q3'), answer('bad')],
    3,
  ],
])('different %s', (_, chosen, rejected, message) => {
  const dropped = { kind: 'dropped', reason: 'malformed_row', detail: expect.stringContaining(`message ${message} `) };
  expect(read({ chosen, rejected })).toMatchObject(dropped);
});

test('later questions may follow from different answers', () => {
  const chosen = [user('q'), answer('a'), user('q2'), answer('good')];
  const rejected = [user('q'), answer('b'), user('q3'), answer('bad')];
  expect(read({ chosen, rejected })).toMatchObject([{ side: 'chosen' }, { side: 'rejected' }]);
});

test('a rejected answer that is no text is named by its column', () => {
  const whole = { prompt: 'q', chosen: 'yes', no: 'no' };
  const row = { prompt: 'q', chosen: 'yes', no: 3 };
  const reader = openReader('pairs', 'auto', [whole, whole, row], { fieldRejected: 'no' }, 'rows.jsonl');
  expect(reader.read(row)).toMatchObject({ detail: "rejected answer: the field 'no' is not text" });
});
