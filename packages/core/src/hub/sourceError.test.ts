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
