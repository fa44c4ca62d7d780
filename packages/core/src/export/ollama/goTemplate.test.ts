import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { chatFamilies } from './families.ts';
import { renderGoTemplate } from './goTemplate.ts';

interface Reference {
  source: string;
  cases: {
    Template: string;
    Messages: unknown[];
    System: string;
    IsThinkSet: boolean;
    Think: boolean;
    output: string;
  }[];
}

const reference: Reference = JSON.parse(
  readFileSync(new URL('../../../test/golden/ollama/go.json', import.meta.url), 'utf8'),
);

test('Go itself prints the same', () => {
  for (const { Template, output, ...data } of reference.cases) expect(renderGoTemplate(Template, data)).toBe(output);
});

test('Go was asked about every family', () => {
  const asked = new Set(reference.cases.map(({ Template }) => Template));
  for (const { name, template } of chatFamilies('Today Date: 01 Feb 2025\n'))
    expect(asked.has(template), name).toBe(true);
});

test.each([
  '{{ html "x" }}',
  '{{ printf "%v" 1 }}',
  '{{ range .Nothing }}{{ end }}',
  '{{ end }}',
  '{{ $x }}',
  '{{ if true }}',
])('%s is an error, not a text', (template) => {
  expect(() => renderGoTemplate(template, {})).toThrow();
});
