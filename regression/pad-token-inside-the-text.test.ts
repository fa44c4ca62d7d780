/** A pad token in a text has a gradient here and none in transformers: `verify` called a right engine wrong. */
import { join } from 'node:path';
import { cpuDevice } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { verifyModel } from '../packages/core/src/verify/verifyModel.ts';
import { edgeCasePath, temporaryFolder } from '../packages/core/test/fixtures.ts';
import { enlargeLargest, type TensorPlace, tensorsOf, withChanged } from '../packages/core/test/tamper.ts';

const device = cpuDevice({ threads: 2 });
const golden = edgeCasePath('smollm2-pad');
const copy = () => join(temporaryFolder(), 'copy');

async function failures(file: string, change: (bytes: Buffer) => Buffer | void): Promise<string[]> {
  const quantities = await withChanged(golden, copy(), file, change, (folder) => verifyModel(folder, device));
  return [...new Set(quantities.filter(({ passed }) => !passed).map(({ name }) => name))];
}

test('what is comparable is compared, and the names say what is not', async () => {
  const quantities = await verifyModel(golden, device);
  expect(quantities.filter(({ passed }) => !passed)).toEqual([]);
  const names = quantities.map(({ name }) => name);
  expect(names).toContain('grad.model.embed_tokens.weight without row 2');
  expect(names).toContain('curve.full.loss before the pad token moves');
  expect(names).not.toContain('curve.full.grad_norm');
  expect(names).toContain('curve.lora.grad_norm');
});

test('the other rows of the embedding gradient still have to agree', async () => {
  const place = tensorsOf(join(golden, 'golden.safetensors')).find(
    ({ name }) => name === 'grad.model.embed_tokens.weight',
  ) as TensorPlace;
  expect(await failures('golden.safetensors', (bytes) => void enlargeLargest(bytes, place))).toEqual([
    'grad.model.embed_tokens.weight without row 2',
  ]);
});

const withoutPad = (bytes: Buffer) =>
  Buffer.from(JSON.stringify({ ...JSON.parse(bytes.toString()), pad_token_id: null }));

test('the row itself is trained: compared with the rest it differs from the reference', async () => {
  expect(await failures('config.json', withoutPad)).toEqual([
    'grad.model.embed_tokens.weight',
    'curve.full.loss',
    'curve.full.grad_norm',
  ]);
});
