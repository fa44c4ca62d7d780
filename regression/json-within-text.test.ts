/** JSON within a text went through JavaScript's numbers: ids beyond 2⁵³ became others, and 1.0 became 1. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { detectFormat } from '../packages/core/src/datasets/formats/index.ts';
import { openSource } from '../packages/core/src/datasets/read.ts';
import { toJson } from '../packages/core/src/templates/json.ts';
import type { Value } from '../packages/core/src/templates/values.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

const numbers = '{"id": 1234567890123456789, "rate": 1.0, "tiny": 1e-07, "none": null}';
const messages = `[{"role": "user", "content": "a"}, {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "pay", "arguments": ${numbers}}}]}]`;
const tools = `[{"name": "pay", "parameters": {"type": "object", "properties": {"id": {"const": 1234567890123456789}, "rate": {"default": 1.0}}}}]`;

async function firstRow(name: string, content: string) {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, content);
  const source = await openSource(path);
  const [row] = await source.page(0, 1);
  await source.close();
  const value = row?.value ?? {};
  const read = detectFormat([value])?.read(value);
  if (read?.kind !== 'chat') throw new Error(JSON.stringify(read));
  return read;
}

const json = (value: unknown): string => toJson(value as Value);
const inCsv = (text: string): string => `"${text.replaceAll('"', '""')}"`;

test.each([
  ['rows.jsonl', JSON.stringify({ messages, tools })],
  ['rows.jsonl', `{"messages": ${messages}, "tools": ${tools}}`],
  ['rows.csv', `messages,tools\n${inCsv(messages)},${inCsv(tools)}`],
])('numbers in messages and tools survive in %s', async (name, content) => {
  const read = await firstRow(name, content);
  expect(json(read.messages[1]?.tool_calls?.[0]?.function.arguments)).toBe(numbers);
  expect(json(read.tools)).toContain('{"const": 1234567890123456789}, "rate": {"default": 1.0}');
});

test('a function call in ShareGPT', async () => {
  const call = JSON.stringify({ from: 'function_call', value: `{"name": "pay", "arguments": ${numbers}}` });
  const read = await firstRow('rows.jsonl', `{"conversations": [{"from": "human", "value": "a"}, ${call}]}`);
  expect(json(read.messages[1]?.tool_calls?.[0]?.function.arguments)).toBe(numbers);
});

test('tools as a list of texts, and one tool alone', async () => {
  const tool = tools.slice(1, -1);
  for (const written of [JSON.stringify([tool]), tool, JSON.stringify(tool)]) {
    const read = await firstRow('rows.jsonl', `{"messages": ${messages}, "tools": ${written}}`);
    expect(json(read.tools)).toContain('1234567890123456789');
  }
});
