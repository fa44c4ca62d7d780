import { expect, test } from 'vitest';
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
  warnings: [],
  ends: ['<|endoftext|>', '<|im_end|>'],
  contextLength: 40_960,
  sampling: { temperature: 0.7, top_p: 0.95 },
};

test('file, template, system text, and every end token once', () => {
  expect(modelfileText(parts)).toBe(`FROM ./m-Q8_0.gguf

# ChatML, checked against the model's own chat template
TEMPLATE """{{ range .Messages }}{{ .Content }}<|im_end|>
{{ end }}"""

SYSTEM """Be kind."""

PARAMETER stop "<|endoftext|>"
PARAMETER stop "<|im_end|>"
# 40960 tokens at most; more take more memory
PARAMETER num_ctx 8192
PARAMETER temperature 0.7
PARAMETER top_p 0.95
`);
});

test('a small context is not made larger than it is', () => {
  expect(modelfileText({ ...parts, contextLength: 512 })).toContain('PARAMETER num_ctx 512\n');
});

test('without a template the file says why', () => {
  const text = modelfileText({ ...parts, template: null, warnings: ['No TEMPLATE is given: reasons.'] });
  expect(text).toContain('# No TEMPLATE is given: reasons.\n');
  expect(text).not.toContain('\nTEMPLATE');
});
