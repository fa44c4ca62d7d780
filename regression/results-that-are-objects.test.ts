/** Rows whose tools gave objects, lists or numbers were dropped, and the reason spoke of parts of a text. */
import { expect, test } from 'vitest';
import { openChatRenderer } from '../packages/core/src/datasets/chatRenderer.ts';
import { detectFormat } from '../packages/core/src/datasets/formats/index.ts';
import { render } from '../packages/core/src/datasets/render.ts';
import { parseRow } from '../packages/core/src/datasets/rowJson.ts';
import { byteTokenizer } from '../packages/core/test/byteTokenizer.ts';

const call = { type: 'function', function: { name: 'look', arguments: {} } };
const [before, after] = [
  [
    { role: 'user', content: 'Q' },
    { role: 'assistant', content: '', tool_calls: [call] },
  ],
  [{ role: 'assistant', content: 'A' }],
].map((messages) => JSON.stringify(messages).slice(1, -1));

/** What is printed of a result, written as JSON. */
function printed(source: string, result: string): string | undefined {
  const text = `{"messages": [${before}, {"role": "tool", "content": ${result}}, ${after}]}`;
  const { value } = parseRow(text, { file: 'a', row: 1 });
  const content = detectFormat([value])?.read(value);
  if (content?.kind !== 'chat') return content?.kind === 'dropped' ? content.detail : undefined;
  const renderer = openChatRenderer(byteTokenizer(), { source });
  const rendered = render(renderer, content, { rolesToTrain: ['assistant'], trainOnEos: 'turn' });
  if (rendered.kind === 'dropped') return rendered.detail;
  return /tool\n(.*?)<\|im_end\|>/.exec(rendered.text)?.[1];
}

const template = (result: string): string =>
  `{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.tool_calls %}{{ m.tool_calls | tojson }}{% elif m.role == 'tool' %}{{ ${result} }}{% else %}{{ m.content }}{% endif %}<|im_end|>{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}`;
const CONCATENATES = template("'' + m.content");
/** As Llama 3.1 does. */
const AS_JSON = template('m.content | tojson');

test.each([
  ['{"t": 18.0, "id": 12345678901234567890, "n": null}', '{"t": 18.0, "id": 12345678901234567890, "n": null}'],
  ['[{"t": "é"}, {}]', '[{"t": "é"}, {}]'],
  ['[]', '[]'],
  ['1.0', '1.0'],
  ['true', 'true'],
  ['"18 C"', '18 C'],
  ['[{"type": "text", "text": "18"}, {"type": "text", "text": " C"}]', '18 C'],
])('%s', (result, text) => {
  expect(printed(CONCATENATES, result)).toBe(text);
});

test('a template that prints objects as JSON gets objects, and not their text', () => {
  expect(printed(AS_JSON, '{"t": 18.0}')).toBe('{"t": 18.0}');
  expect(printed(AS_JSON, '[{"t": 1}]')).toBe('[{"t": 1}]');
  expect(printed(AS_JSON, '"18 C"')).toBe('"18 C"');
});

test('parts that hold no text are refused, and so is an object that somebody says', () => {
  expect(printed(CONCATENATES, '[{"type": "image", "image": "a"}]')).toContain('"image" that holds no text');
  const value = {
    messages: [
      { role: 'user', content: { t: 1 } },
      { role: 'assistant', content: 'A' },
    ],
  };
  expect(detectFormat([value])?.read(value)).toMatchObject({ kind: 'dropped', reason: 'malformed_row' });
});
