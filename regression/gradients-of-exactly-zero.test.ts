/** With a sliding window of 1 the gradients of q and k are 0 in the reference: `verify` divided by that and failed. */
import { cpuDevice } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { gradientDifference } from '../packages/core/src/verify/quantity.ts';
import { verifyModel } from '../packages/core/src/verify/verifyModel.ts';
import { edgeCasePath } from '../packages/core/test/fixtures.ts';

test('a window of 1 agrees with transformers, q and k by their size', async () => {
  const quantities = await verifyModel(edgeCasePath('mistral-window1'), cpuDevice({ threads: 2 }));
  expect(quantities.filter(({ passed }) => !passed)).toEqual([]);
  const ofQuery = quantities.filter(({ name }) => name === 'grad.model.layers.1.self_attn.q_proj.weight');
  expect(ofQuery.map(({ metric }) => metric)).toEqual(['max']);
});

test('a gradient where the reference has none fails, and so does nothing at all', () => {
  const zeros = new Float32Array(64);
  expect(gradientDifference('x', zeros, zeros).every(({ passed }) => passed)).toBe(true);
  for (const ours of [zeros.map((_, i) => (i === 9 ? 1e-6 : 0)), zeros.map(() => Number.NaN), zeros.subarray(1)]) {
    expect(gradientDifference('x', ours, zeros).every(({ passed }) => passed)).toBe(false);
  }
  expect(gradientDifference('x', [], []).every(({ passed }) => passed)).toBe(false);
});
