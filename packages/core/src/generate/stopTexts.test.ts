import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { StopTexts } from './stopTexts.ts';

/** All that is given out for a text in these pieces. */
function givenOut(pieces: readonly string[], stops: readonly string[]): { text: string; found: boolean } {
  const finder = new StopTexts(stops);
  let text = '';
  for (const piece of pieces) {
    const { text: more, found } = finder.push(piece);
    text += more;
    if (found) return { text, found };
  }
  return { text: text + finder.finish(), found: false };
}

test('a text ends where the first of them begins, wherever its pieces are parted', () => {
  const few = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 4 });
  fc.assert(
    fc.property(fc.array(few), fc.array(few, { maxLength: 3 }), (pieces, stops) => {
      const whole = pieces.join('');
      const wanted = stops.filter((stop) => stop !== '');
      const { text, found } = givenOut(pieces, stops);
      expect(found).toBe(wanted.some((stop) => whole.includes(stop)));
      expect(whole.startsWith(text)).toBe(true);
      if (!found) expect(text).toBe(whole);
      else {
        expect(wanted.some((stop) => whole.startsWith(stop, text.length))).toBe(true);
        expect(wanted.some((stop) => text.includes(stop))).toBe(false);
      }
    }),
    { seed: 3407, numRuns: 2000 },
  );
});

test('nothing of one is given out before it is known to be none', () => {
  const finder = new StopTexts(['\n\nQ:']);
  expect(finder.push('A.\n')).toEqual({ text: 'A.', found: false });
  expect(finder.push('\nQ')).toEqual({ text: '', found: false });
  expect(finder.push('uite')).toEqual({ text: '\n\nQuite', found: false });
  expect(finder.push('\n\nQ: more')).toEqual({ text: '', found: true });
});
