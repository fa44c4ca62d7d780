/**
 * A prompt written out with `<s>` and `</s>`, as many tutorials have it, got both twice: `<s><s>[INST] … </s></s>`. Its columns counted
 * in one case only, unlike those of every other form.
 */
import { openReader } from '@anneal/core/datasets/formats/index';
import { expect, test } from 'vitest';
import { templateOfPrompt } from '../packages/core/src/templates/promptFormat.ts';
import { openTemplate } from '../packages/core/src/templates/template.ts';

function printed(format: string, answer: string, addsBos = true, bos: string | null = '<s>'): string {
  const source = templateOfPrompt(
    { format, noInputFormat: null, systemFormat: '{system}\n', systemPrompt: '' },
    addsBos,
  );
  return openTemplate(source, { bos: bos ?? undefined, eos: '</s>' }).render([
    { role: 'user', content: 'Q' },
    { role: 'assistant', content: answer },
  ]);
}

test.each([
  ['[INST] {instruction} [/INST]', 'A', '<s>[INST] Q [/INST]A</s>'],
  ['<s>[INST] {instruction} [/INST]', 'A', '<s>[INST] Q [/INST]A</s>'],
  ['<s>{instruction}: {output}</s>', ' A</s>', '<s>Q: A</s>'],
  ['{instruction}: {output}</s>\n', ' A</s>\n', '<s>Q: A</s>\n'],
  ['{instruction}: {output}</s> END', ' A</s> END', '<s>Q: A</s> END</s>'],
])('%j', (format, answer, text) => {
  expect(printed(format, answer)).toBe(text);
});

test('a tokenizer without BOS, or that does not add it, has none', () => {
  expect(printed('{instruction}:', 'A', true, null)).toBe('Q:A</s>');
  expect(printed('{instruction}:', 'A', false)).toBe('Q:A</s>');
});

test.each([
  [{ Instruction: 'Q', Input: 'I', OUTPUT: 'A' }, {}],
  [{ instruction: 'Q', input: 'I', Answer: 'A' }, { fieldOutput: 'answer' }],
])('columns in any case: %j', (row, fields) => {
  const options = { promptFormat: '{instruction} {input}: {output}', ...fields };
  const content = openReader(null, 'prompt', [row], options, 'rows.jsonl').read(row);
  expect(content).toMatchObject({ messages: [{ content: 'Q', input: 'I' }, { content: ' A' }] });
});
