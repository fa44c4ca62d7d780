import { cpuDevice } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { verifyBf16 } from '../packages/core/src/verify/verifyBf16.ts';
import { goldenPath } from '../packages/core/test/fixtures.ts';

// Experts of gpt-oss lie otherwise in its files than in ours: their gradients were compared element by element as they lay.
test('gradients of experts are compared in bfloat16 in our order, too', async () => {
  const quantities = await verifyBf16(goldenPath('gpt-oss'), cpuDevice({ threads: 2 }));
  expect(quantities.filter(({ passed }) => !passed)).toEqual([]);
});
