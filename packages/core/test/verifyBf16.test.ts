import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuDevice } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { verifyBf16 } from '../src/verify/verifyBf16.ts';
import { goldenPath, temporaryFolder } from './fixtures.ts';
import { enlargeLargest, tensorsOf, withChanged } from './tamper.ts';

type Yardsticks = Record<string, Record<string, number>>;

const device = cpuDevice({ threads: 2 });
const yardsticks: Yardsticks = JSON.parse(readFileSync(join(goldenPath('..'), 'models', 'bf16.json'), 'utf8'));
const several = Object.keys(yardsticks).filter((name) => yardsticks[name]?.['texts']);

async function failures(path: string): Promise<string[]> {
  const quantities = await verifyBf16(path, device);
  return quantities.filter(({ passed }) => !passed).map(({ name }) => name);
}

/** What fails, over fewer texts, of a copy in which the reference's errors, or one of the files, are other ones. */
async function failuresWith(
  name: string,
  { scale = 1, file, change }: { scale?: number; file: string; change: (bytes: Buffer) => void },
): Promise<string[]> {
  const folder = temporaryFolder();
  const scaled = Object.entries(yardsticks[name] ?? {}).map(([key, value]) => [
    key,
    key === 'texts' ? 3 : scale * value,
  ]);
  writeFileSync(join(folder, 'bf16.json'), JSON.stringify({ [name]: Object.fromEntries(scaled) }));
  return withChanged(goldenPath(name), join(folder, name), file, change, failures);
}

test('some models are measured over several texts', () => {
  expect(several).toEqual([
    'deepseek-v3',
    'gemma4-moe',
    'glm4-moe',
    'gpt-oss',
    'granite4-moe',
    'qwen3.5',
    'qwen3.5-moe',
  ]);
});

test.each(['llama3', ...several])('%s is not much farther from float32 than the reference', async (name) => {
  expect(await failures(goldenPath(name))).toEqual([]);
});

test.each(['llama3', 'qwen3.5'])('%s fails where its errors are beyond twice the reference’s', async (name) => {
  const failed = await failuresWith(name, { scale: 0.1, file: 'golden.safetensors', change: () => {} });
  const limited = ['logits', 'gradients.worst', 'gradients.median'];
  expect(failed.filter((quantity) => !quantity.endsWith('loss'))).toEqual([
    ...limited,
    ...limited.map((quantity) => `lora.${quantity}`),
  ]);
});

test('a value of the only text that the folder has is seen beside many others', async () => {
  const file = 'golden.safetensors';
  const places = tensorsOf(join(goldenPath('qwen3.5'), file));
  for (const tensor of ['logits', 'grad.model.norm.weight']) {
    const place = places.find(({ name }) => name === tensor);
    if (!place) throw new Error(`there is no ${tensor}`);
    const failed = await failuresWith('qwen3.5', { file, change: (bytes) => void enlargeLargest(bytes, place) });
    expect(failed).toContain(`float32.${tensor}`);
  }
});
