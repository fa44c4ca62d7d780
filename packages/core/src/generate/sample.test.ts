import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { argmax, greedy, type SamplingOptions, sample } from './sample.ts';

/** Probability of every token, worked out plainly in float64, filter after filter as transformers orders them. */
function probabilities(logits: readonly number[], options: SamplingOptions, seen: readonly number[]): number[] {
  let scores = logits.map((logit, id) => {
    if (!seen.includes(id)) return logit;
    return Math.fround(logit > 0 ? logit / options.repetitionPenalty : logit * options.repetitionPenalty);
  });
  scores = scores.map((score) => score / options.temperature);
  const order = scores.map((_, id) => id).sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
  let kept = options.topK > 0 ? order.slice(0, options.topK) : order;
  const top = Math.max(...scores);
  const weight = (id: number) => Math.exp((scores[id] as number) - top);
  const sum = (ids: readonly number[]) => ids.reduce((total, id) => total + weight(id), 0);
  if (options.topP < 1) {
    const total = sum(kept);
    kept = kept.filter((_, i) => sum(kept.slice(0, i)) < options.topP * total);
  }
  kept = kept.filter((id, i) => i === 0 || weight(id) >= options.minP);
  return scores.map((_, id) => (kept.includes(id) ? weight(id) / sum(kept) : 0));
}

function noRandom(): number {
  throw new Error('greedy decoding draws nothing');
}

const logitsOf = fc.array(fc.float({ min: -20, max: 20, noNaN: true }), { minLength: 1, maxLength: 12 });
const optionsOf = fc.record({
  temperature: fc.double({ min: 0.1, max: 3, noNaN: true }),
  topK: fc.integer({ min: 0, max: 14 }),
  topP: fc.double({ min: 0.05, max: 1, noNaN: true }),
  minP: fc.double({ min: 0, max: 0.9, noNaN: true }),
  repetitionPenalty: fc.constantFrom(1, 1.1, 1.7),
});

test('every token comes as often as its probability says', () => {
  const draws = 400;
  fc.assert(
    fc.property(logitsOf, optionsOf, fc.array(fc.nat(11)), (logits, options, seenAnywhere) => {
      const seen = seenAnywhere.filter((id) => id < logits.length);
      const counts = logits.map(() => 0);
      for (let i = 0; i < draws; i++) {
        const id = sample(Float32Array.from(logits), options, seen, () => (i + 0.5) / draws);
        counts[id] = (counts[id] as number) + 1;
      }
      for (const [id, probability] of probabilities(logits, options, seen).entries()) {
        // Evenly spread draws hit an interval of length p at most one time more or less than p · draws.
        expect(Math.abs((counts[id] as number) - probability * draws)).toBeLessThanOrEqual(1.01);
        if (probability === 0) expect(counts[id]).toBe(0);
      }
    }),
    { numRuns: 300, seed: 3407 },
  );
});

test('temperature 0 takes the likeliest token after the repetition penalty', () => {
  fc.assert(
    fc.property(logitsOf, fc.array(fc.nat(11)), (logits, seenAnywhere) => {
      const seen = seenAnywhere.filter((id) => id < logits.length);
      const penalized = logits.map((logit, id) => {
        if (!seen.includes(id)) return logit;
        return Math.fround(logit > 0 ? logit / 1.3 : logit * 1.3);
      });
      const id = sample(Float32Array.from(logits), { ...greedy, repetitionPenalty: 1.3 }, seen, noRandom);
      expect(id).toBe(penalized.indexOf(Math.max(...penalized)));
    }),
    { seed: 3407 },
  );
});

test('a token seen twice is penalized once', () => {
  const logits = Float32Array.of(4, 3);
  sample(logits, { ...greedy, repetitionPenalty: 2 }, [0, 0, 0], Math.random);
  expect([...logits]).toEqual([2, 3]);
});

test('equal logits: the first', () => {
  expect(argmax(Float32Array.of(1, 5, 5, 2))).toBe(1);
  expect(sample(Float32Array.of(1, 5, 5, 2), { ...greedy, temperature: 1, topK: 1 }, [], () => 0.99)).toBe(1);
});

test('top-p 0.5 of three equal tokens keeps two', () => {
  const drawn = new Set<number>();
  for (let i = 0; i < 50; i++)
    drawn.add(sample(Float32Array.of(1, 1, 1), { ...greedy, temperature: 1, topP: 0.5 }, [], () => i / 50));
  expect([...drawn]).toEqual([0, 1]);
});
