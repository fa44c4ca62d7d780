import { expect, test } from 'vitest';
import { GGUF_TYPES, type GgufType, type TypeRelevant, tensorType } from './ggufTypes.ts';

const smolLm2: TypeRelevant = { layerCount: 30, headCount: 9, kvHeadCount: 3, tieWordEmbeddings: true };
const llama8b: TypeRelevant = { layerCount: 32, headCount: 32, kvHeadCount: 8, tieWordEmbeddings: false };

/** One letter a layer: the number of bits, small ones for blocks of 32 (`letters`), `x` for IQ4_XS. */
const letters: Readonly<Record<string, string>> = {
  Q4_0: 'a',
  Q5_0: 'b',
  Q5_1: 'c',
  Q8_0: 'd',
  IQ4_NL: 'e',
  IQ4_XS: 'x',
  IQ3_S: 's',
  IQ3_XXS: 't',
};
function layers(linear: string, columns: number, type: GgufType, of: TypeRelevant): string {
  return Array.from({ length: of.layerCount }, (_, layer) => {
    const found = tensorType(`layers.${layer}.${linear}`, [576, columns], type, of);
    return letters[found] ?? found[1];
  }).join('');
}

const more = 'xxx..x..x..x..x..x..x..x..xxxx'; // layers that the _M mixes give more bits
const mix = (x: string, rest: string): string => more.replaceAll('x', x).replaceAll('.', rest);

// As llama_model_quantize of node-llama-cpp 3.22.1 chose for SmolLM2-135M, whose rows of 576 are no multiple of 256.
test.each([
  ['q2_k', 'a', 'a'.repeat(30), '3'.repeat(30), 'a'],
  ['q3_k_m', 'a', `cc${'b'.repeat(28)}`, `5${'4'.repeat(29)}`, 'b'],
  ['q4_k_s', 'b', `cccc${'b'.repeat(26)}`, `555${'4'.repeat(27)}`, 'b'],
  ['q4_k_m', 'b', mix('d', 'b'), mix('6', '4'), 'b'],
  ['q5_k_s', 'c', 'c'.repeat(30), '5'.repeat(30), 'c'],
  ['q5_k_m', 'c', mix('d', 'c'), mix('6', '5'), 'c'],
  ['q6_k', 'd', 'd'.repeat(30), '6'.repeat(30), 'd'],
  ['iq4_nl', 'e', 'e'.repeat(30), `555${'e'.repeat(27)}`, 'e'],
  ['iq4_xs', 'e', 'e'.repeat(30), `555${'x'.repeat(27)}`, 'e'],
  ['iq3_m', 'e', 'b'.repeat(30), `444${'s'.repeat(27)}`, 'b'],
  ['iq3_s', 'e', 'e'.repeat(30), 's'.repeat(30), 'e'],
] as const)('SmolLM2 in %s', (type, q, v, down, o) => {
  expect(layers('q', 576, type, smolLm2)).toBe(q.repeat(30));
  expect(layers('v', 576, type, smolLm2)).toBe(v);
  expect(layers('down', 1536, type, smolLm2)).toBe(down);
  expect(layers('o', 576, type, smolLm2)).toBe(o.repeat(30));
  expect(tensorType('embed', [49152, 576], type, smolLm2)).toBe('Q8_0');
});

test.each([
  ['q2_k', 'Q2_K', 'Q4_K', 'Q3_K'],
  ['q3_k_m', 'Q3_K', 'Q5_K', 'Q4_K'],
  ['q4_k_m', 'Q4_K', 'Q6_K', 'Q4_K'],
  ['q5_k_m', 'Q5_K', 'Q6_K', 'Q5_K'],
  ['q6_k', 'Q6_K', 'Q6_K', 'Q6_K'],
  ['iq4_nl', 'IQ4_NL', 'Q5_K', 'IQ4_NL'],
  ['iq4_xs', 'IQ4_XS', 'Q5_K', 'IQ4_XS'],
  ['iq3_m', 'IQ3_S', 'Q4_K', 'Q4_K'],
  ['iq3_s', 'IQ3_S', 'Q4_K', 'IQ3_S'],
] as const)('Llama 3.1 8B in %s: rows of 4096, a head of its own', (type, q, v, o) => {
  const of = (name: string): string => tensorType(name, [4096, 4096], type, llama8b);
  expect([of('layers.0.q'), of('layers.0.v'), of('layers.0.o')]).toEqual([q, v, o]);
  expect([of('embed'), of('lm_head')]).toEqual([q, 'Q6_K']);
});

test('a row that no block divides is stored in float16, a vector in float32', () => {
  expect(GGUF_TYPES.map((type) => tensorType('layers.0.q', [40, 40], type, llama8b)).slice(3)).toEqual(
    Array(GGUF_TYPES.length - 3).fill('F16'),
  );
  expect(tensorType('layers.0.attention_norm', [4096], 'q4_k_m', llama8b)).toBe('F32');
});

test.each([
  ['q2_k', 'Q2_K'],
  ['q3_k_m', 'Q4_K'],
  ['q4_k_s', 'Q4_K'],
  ['q4_k_m', 'Q5_K'],
  ['q5_k_m', 'Q6_K'],
  ['q8_0', 'Q8_0'],
] as const)('queries, keys and values in one matrix, as Phi has them, in %s', (type, expected) => {
  expect(tensorType('layers.1.qkv', [9216, 3072], type, llama8b)).toBe(expected);
});
