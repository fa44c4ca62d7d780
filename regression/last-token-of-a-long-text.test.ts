/** A text one token longer than its pieces lost the last one, which is the EOS by which a model learns to stop. */
import { expect, test } from 'vitest';
import { splitText } from '../packages/core/src/datasets/judge.ts';

test.each([8, 9, 15, 16, 17, 18, 24, 25])('a text of %i tokens is cut without losing any', (length) => {
  const ids = Int32Array.from({ length }, (_, i) => i);
  const pieces = splitText({ ids, lossMask: new Uint8Array(length).fill(1), turns: [] }, 8);
  expect(pieces.flatMap((piece) => [...piece.ids])).toEqual([...ids]);
  for (const piece of pieces) {
    expect(piece.ids.length).toBeLessThanOrEqual(8);
    expect(piece.ids.length).toBeGreaterThan(1);
    expect(piece.lossMask.length).toBe(piece.ids.length);
  }
});
