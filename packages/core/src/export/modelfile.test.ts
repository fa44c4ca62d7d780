import { describe, expect, test } from 'vitest';
import { modelfileText } from './modelfile.ts';

const chatml = {
  name: 'ChatML',
  template: '{{ range .Messages }}{{ .Content }}<|im_end|>\n{{ end }}',
  stops: ['<|im_end|>'],
  system: 'Be kind.',
};
const parts = {
  gguf: 'm-Q8_0.gguf',
  template: chatml,
  missing: null,
  ends: ['<|endoftext|>', '<|im_end|>'],
  generation: null,
};

test('file, template, system text, and every end token once', () => {
  expect(modelfileText(parts)).toBe(`FROM ./m-Q8_0.gguf

# ChatML, checked against the model's own chat template
TEMPLATE """{{ range .Messages }}{{ .Content }}<|im_end|>
{{ end }}"""

SYSTEM """Be kind."""

PARAMETER stop "<|endoftext|>"
PARAMETER stop "<|im_end|>"
`);
});

describe('sampling', () => {
  const sampling = { temperature: 0.6, top_p: 0.95, top_k: 20, min_p: 0 };

  test('is what generation_config.json recommends', () => {
    const generation = { do_sample: true, temperature: 0.7, repetition_penalty: 1.05, eos_token_id: 2 };
    const text = modelfileText({ ...parts, template: { ...chatml, sampling }, generation });
    expect(text.match(/PARAMETER (?!stop).*/g)).toEqual(['PARAMETER temperature 0.7', 'PARAMETER repeat_penalty 1.05']);
  });

  test("else the family's", () => {
    const text = modelfileText({ ...parts, template: { ...chatml, sampling }, generation: { eos_token_id: 2 } });
    expect(text).toContain('PARAMETER temperature 0.6\nPARAMETER top_p 0.95\nPARAMETER top_k 20\nPARAMETER min_p 0\n');
  });
});

test('without a template the file says why', () => {
  const text = modelfileText({ ...parts, template: null, missing: 'No TEMPLATE is given: reasons.' });
  expect(text).toContain('# No TEMPLATE is given: reasons.\n');
  expect(text).not.toContain('\nTEMPLATE');
});
