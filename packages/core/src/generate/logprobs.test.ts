import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { logprobsOf } from './logprobs.ts';

const logitsOf = fc.array(fc.float({ min: -30, max: 30, noNaN: true }), { minLength: 1, maxLength: 40 });

test('are the logarithms of softmax, and the likeliest come in order, ties by id', () => {
  fc.assert(
    fc.property(logitsOf, fc.nat(40), fc.nat(25), (values, chosenAnywhere, count) => {
      const logits = Float32Array.from(values);
      const chosen = chosenAnywhere % logits.length;
      const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
      const expected = [...logits].map((logit, id) => ({ id, logprob: logit - Math.log(sum) }));
      const found = logprobsOf(logits, chosen, count);
      expect(found.chosen).toBeCloseTo((expected[chosen] as { logprob: number }).logprob, 9);
      const logit = (id: number) => logits[id] as number;
      const ordered = expected.toSorted((a, b) => logit(b.id) - logit(a.id) || a.id - b.id).slice(0, count);
      expect(found.top.map(({ id }) => id)).toEqual(ordered.map(({ id }) => id));
      for (const [i, { logprob }] of found.top.entries()) {
        expect(logprob).toBeCloseTo((ordered[i] as { logprob: number }).logprob, 9);
      }
    }),
    { seed: 3407 },
  );
});
