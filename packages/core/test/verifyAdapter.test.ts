import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cpuDevice } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { openGolden } from '../src/verify/golden.ts';
import { verifyAdapter } from '../src/verify/verifyAdapter.ts';
import { goldenPath, temporaryFolder } from './fixtures.ts';
import { enlargeLargest, tensorsOf, withChanged } from './tamper.ts';

const folder = join(import.meta.dirname, 'golden', 'peft');
const bases: Record<string, string> = {
  'bias-all': 'qwen2',
  'bias-lora-only': 'qwen2',
  'lora-bias': 'qwen2',
  'modules-to-save-tied': 'qwen2',
  'trainable-tokens-tied': 'qwen2',
  'moe-experts': 'qwen3-moe',
  'moe-experts-beside-mlp': 'gemma4-moe',
  'lora-head-embed-tied': 'smollm2',
};
const baseOf = (kind: string) => goldenPath(bases[kind] ?? 'llama3');
const device = cpuDevice({ threads: 2 });

test.each(readdirSync(folder))('%s as PEFT computes it', async (kind) => {
  const quantities = await verifyAdapter(join(folder, kind), baseOf(kind), device);
  expect(quantities.filter(({ passed }) => !passed)).toEqual([]);
  const compared = new Set(quantities.map(({ name }) => name));
  const golden = openGolden(join(folder, kind), []);
  golden.close();
  const values = golden.names.filter((name) => name !== 'input_ids');
  expect(compared).toEqual(new Set([...values, 'curve.loss', 'curve.grad_norm', 'curve.schedule']));
});

test.each([
  'patterns',
  'rslora-dora',
  'bias-lora-only',
  'lora-bias-unmergeable',
  'trainable-tokens-tied',
  'pissa',
  'loftq',
])('every tensor of %s, its largest value 1 % off', { timeout: 600_000 }, async (kind) => {
  const file = 'adapter/adapter_model.safetensors';
  const missed: string[] = [];
  for (const tensor of tensorsOf(join(folder, kind, file))) {
    const quantities = await withChanged(
      join(folder, kind),
      join(temporaryFolder(), kind),
      file,
      (bytes) => void enlargeLargest(bytes, tensor),
      (copy) => verifyAdapter(copy, baseOf(kind), device),
    );
    if (quantities.every(({ passed }) => passed)) missed.push(tensor.name);
  }
  expect(missed).toEqual([]);
});

test('its base is found beside it, and named where it is not there', async () => {
  const copy = join(temporaryFolder(), 'a', 'b', 'patterns');
  cpSync(join(folder, 'patterns'), copy, { recursive: true });
  await expect(verifyAdapter(copy, undefined, device)).rejects.toThrow('need their base, llama3');
  cpSync(goldenPath('llama3'), join(copy, '..', '..', 'llama3'), { recursive: true });
  expect((await verifyAdapter(copy, undefined, device)).every(({ passed }) => passed)).toBe(true);
});
