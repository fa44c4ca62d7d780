import { jsonEncoder } from '@trpc/server/adapters/ws';
import { expect, test } from 'vitest';
import { sharedEncoder } from './sharedEncoder.ts';

const news = { events: [{ seq: 7, text: '"7"\u2028' }], summary: { state: 'running', note: undefined } };
const tracked = { type: 'data', id: '7', data: { id: '7', data: news } };
const messages = {
  'news of a run': { id: 1, result: tracked },
  'the same news for another client': { id: 'other', jsonrpc: '2.0', result: tracked },
  'what is tracked and no object': { id: 1, result: { type: 'data', id: '8', data: { id: '8', data: 'text' } } },
  'an answer with an id of its own': { id: 2, result: { type: 'data', data: { id: '7', data: news } } },
  'an answer without a value': { id: 2, result: { type: 'data' } },
  'the end of a subscription': { id: 3, result: { type: 'stopped' } },
  'an error': { id: null, error: { code: -32_700, message: 'no JSON', data: {} } },
  'a notification': { id: null, method: 'reconnect' },
};

test.each(Object.entries(messages))('%s is encoded as JSON is', (_, message) => {
  const text = sharedEncoder.encode(message) as string;
  expect(JSON.parse(text)).toStrictEqual(JSON.parse(jsonEncoder.encode(message) as string));
  expect(sharedEncoder.decode(text)).toStrictEqual(JSON.parse(text));
});

test('what goes to many is put into JSON once', () => {
  let times = 0;
  const told = { toJSON: () => ++times };
  for (const id of [1, 2, 3]) {
    const message = { id, result: { type: 'data', id: '9', data: { id: '9', data: told } } };
    expect(JSON.parse(sharedEncoder.encode(message) as string).result.data.data).toBe(1);
  }
});
