import { listFiles } from '@huggingface/hub';
import { expect, test } from 'vitest';
import { asSourceError } from './sourceError.ts';

test.each(['', '<html>Sign in</html>', '{"sha": '])(
  'an answer of %j is told as what it is, not as a parser says it',
  (answer) => {
    let error: unknown;
    try {
      JSON.parse(answer);
    } catch (thrown) {
      error = thrown;
    }
    expect(asSourceError(error).message).toBe('its answer is no JSON');
  },
);

const noList = async () => new Response('{"error": "no"}', { headers: { 'content-type': 'application/json' } });

test('an answer that is another thing than a list is said to be one', async () => {
  const listing = listFiles({ repo: { type: 'model', name: 'o/m' }, fetch: noList });
  const error: unknown = await listing.next().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(TypeError);
  expect(asSourceError(error).message).toMatch(/^its answer is not what a hub gives \(.*iterable\)$/);
});
