/**
 * The form of reference values was taken on trust: one number of `packed.lengths` took all memory and ended the process, and what
 * lacked a key was told as "Cannot read properties of undefined".
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { verify } from '../packages/core/src/verify/verify.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

const GOLDEN = join(import.meta.dirname, '../packages/core/test/golden');

function copyOf(name: string): string {
  const folder = join(temporaryFolder(), 'golden');
  cpSync(join(GOLDEN, name), folder, { recursive: true });
  return folder;
}

function withBytes(folder: string, name: string, bytes: number[]): string {
  const path = join(folder, 'golden.safetensors');
  const file = readFileSync(path);
  const size = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, 8 + size).toString());
  file.set(bytes, 8 + size + header[name].data_offsets[0]);
  writeFileSync(path, file);
  return folder;
}

test('lengths that are not those of the text', async () => {
  for (const lengths of [
    [255, 255, 255, 127],
    [0, 0, 0, 0],
    [255, 255, 255, 255],
  ]) {
    const folder = withBytes(copyOf('models/llama3'), 'packed.lengths', lengths);
    await expect(verify(folder)).rejects.toThrow('packed.lengths does not add up');
  }
});

test('curves, runs, objectives and templates without a key, or with another kind of value', async () => {
  const cases = [
    { folder: copyOf('models/llama3'), file: 'curves.json', key: 'optimizer', value: null },
    { folder: copyOf('models/llama3'), file: 'curves.json', key: 'schedule', value: 5 },
    { folder: copyOf('peft/dora'), file: 'curves.json', key: 'lora', value: undefined },
    { folder: copyOf('smollm2-sft'), file: 'golden.json', key: 'generations', value: [null] },
    { folder: copyOf('preference/dpo/llama3'), file: 'golden.json', key: 'rows', value: {} },
    { folder: copyOf('templates'), file: 'qwen3.json', key: 'cases', value: 'none' },
  ];
  for (const { folder, file, key, value } of cases) {
    const path = join(folder, file);
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), [key]: value }));
    const checked = verify(file === 'qwen3.json' ? path : folder, { model: folder, tokenizer: folder });
    await expect(checked, path).rejects.toMatchObject({
      code: 'golden_incomplete',
      what: expect.stringContaining(key),
    });
  }
});
