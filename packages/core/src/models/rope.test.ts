import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Fields } from './fields.ts';
import { readRopes } from './readRope.ts';
import { inverseFrequencies } from './rope.ts';

interface Reference {
  source: string;
  cases: {
    name: string;
    headSize: number;
    maxPositions: number;
    rope: Record<string, unknown>;
    inverse: number[];
    attentionScale: number;
  }[];
}

const reference: Reference = JSON.parse(
  readFileSync(new URL('../../test/golden/rope/transformers.json', import.meta.url), 'utf8'),
);
/** Four units in the last place of float32. */
const TOLERANCE = 4 * 2 ** -24 * 2;

const rope = (config: Record<string, unknown>, maxPositions = 4096) =>
  readRopes(new Fields(config, 'config.json'), { headSize: 64, maxPositions }, {}).rope;

describe('inverse frequencies are those of transformers', () => {
  test.each(reference.cases)('$name', ({ headSize, maxPositions, rope: parameters, inverse, attentionScale }) => {
    const ours = inverseFrequencies(headSize, rope({ rope_parameters: parameters }, maxPositions));
    expect(ours.inverse).toHaveLength(inverse.length);
    for (const [pair, expected] of inverse.entries()) {
      expect(Math.abs((ours.inverse[pair] ?? 0) / expected - 1), `pair ${pair}`).toBeLessThan(TOLERANCE);
    }
    expect(ours.attentionScale).toBeCloseTo(attentionScale, 14);
  });
});

test('by hand: base 100 and four dimensions turn by 1 and 1/10 radian a position', () => {
  const { inverse } = inverseFrequencies(4, { theta: 100, scaling: null });
  expect([...inverse]).toEqual([1, Math.fround(0.1)]);
});

describe('both spellings of config.json', () => {
  const parameters = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };

  test('transformers 4 and 5 give the same', () => {
    const four = rope({ rope_theta: 5e5, rope_scaling: { rope_type: 'llama3', ...parameters } });
    const five = rope({ rope_parameters: { rope_type: 'llama3', rope_theta: 5e5, ...parameters } });
    expect(four).toEqual(five);
    expect(four.scaling).toEqual({
      kind: 'llama3',
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositions: 8192,
    });
  });

  test('the oldest spelling says type', () => {
    expect(rope({ rope_scaling: { type: 'linear', factor: 2 } })).toEqual({
      theta: 10_000,
      scaling: { kind: 'linear', factor: 2 },
    });
  });

  test('dynamic NTK goes by max_position_embeddings, whatever else is written', () => {
    const dynamic = { type: 'dynamic', factor: 2, original_max_position_embeddings: 1024 };
    expect(rope({ rope_scaling: dynamic }).scaling).toEqual({ kind: 'dynamic', factor: 2, originalMaxPositions: 4096 });
  });

  test('null and default mean no scaling', () => {
    expect(rope({ rope_theta: 7, rope_scaling: null })).toEqual({ theta: 7, scaling: null });
    expect(rope({ rope_parameters: { rope_type: 'default', rope_theta: 7 } })).toEqual({ theta: 7, scaling: null });
  });

  test('yarn: the original context defaults to max_position_embeddings, the factor to their ratio', () => {
    const yarn = rope({ rope_scaling: { type: 'yarn', original_max_position_embeddings: 1024 } }, 4096);
    expect(yarn.scaling).toMatchObject({ factor: 4, originalMaxPositions: 1024, truncate: true, betaFast: 32 });
    expect(rope({ rope_scaling: { type: 'yarn', factor: 2 } }, 4096).scaling).toMatchObject({
      originalMaxPositions: 4096,
    });
  });
});

test.each([
  [{ rope_scaling: { rope_type: 'ntk', factor: 2 } }, 'rope type ntk is not implemented'],
  [{ rope_scaling: { rope_type: 'linear' } }, 'factor must be a number above 0 in float32, but it is missing'],
  [{ rope_scaling: { rope_type: 'linear', factor: -1 } }, 'factor must be a number above 0 in float32, but it is -1'],
  [{ rope_scaling: { rope_type: 'dynamic', factor: 0.5 } }, 'factor must be a number from 1 on'],
  [{ rope_scaling: [] }, 'rope_scaling must be an object'],
  [{ rope_theta: 'big' }, 'rope_theta must be a number above 0'],
  [{ partial_rotary_factor: 0.5 }, 'partial rotary embeddings (partial_rotary_factor) are not implemented'],
  [
    { rope_scaling: { rope_type: 'llama3', factor: 8, low_freq_factor: 4, high_freq_factor: 4 } },
    'high_freq_factor must be above low_freq_factor',
  ],
])('%j is refused', (config, message) => {
  expect(() => rope(config)).toThrow(message);
});
