import { join } from 'node:path';
import { cpuDevice } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { longestText } from '../src/models/config.ts';
import { openModel } from '../src/models/open.ts';
import { verifyModel } from '../src/verify/verifyModel.ts';
import { edgeCasePath, temporaryFolder } from './fixtures.ts';
import { withChanged } from './tamper.ts';

const golden = edgeCasePath('llama-dynamic');
const device = cpuDevice({ threads: 2 });

test('texts beyond the context, beside shorter ones in a batch, and an answer that grows beyond it', async () => {
  const quantities = await verifyModel(golden, device);
  expect(quantities.filter(({ passed }) => !passed)).toEqual([]);
  expect(quantities.map(({ name }) => name)).toEqual(expect.arrayContaining(['logits', 'packed.logits', 'greedy']));
});

test.each([
  ['another factor', '"factor": 4.0', '"factor": 4.1', ['logits', 'packed.logits']],
  ['another context', '"max_position_embeddings": 24', '"max_position_embeddings": 28', ['logits', 'packed.logits']],
  ['no scaling', '"rope_type": "dynamic"', '"rope_type": "default"', ['logits', 'packed.logits', 'greedy']],
] as const)('%s fails', async (_, written, other, expected) => {
  const change = (bytes: Buffer) => Buffer.from(bytes.toString().replace(written, other));
  const copy = join(temporaryFolder(), 'model');
  const quantities = await withChanged(golden, copy, 'config.json', change, (folder) => verifyModel(folder, device));
  const failed = new Set(quantities.filter(({ passed }) => !passed).map(({ name }) => name));
  expect([...failed]).toEqual(expect.arrayContaining([...expected]));
});

test('answers may be as long as the factor says', () => {
  const model = openModel(golden);
  model.close();
  expect([model.config.maxPositions, longestText(model.config)]).toEqual([24, 96]);
});
