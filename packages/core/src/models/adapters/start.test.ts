import { join } from 'node:path';
import { decodeNf4 } from '@anneal/formats/bitsandbytes/nf4';
import { expect, test } from 'vitest';
import { adapterGoldenPath, goldenModel, goldenPath } from '../../../test/fixtures.ts';
import type { ModelTensor } from '../model.ts';
import { quantized } from '../nf4.ts';
import { loadBegun, loadLoraWeights } from './loadLora.ts';
import { mergedWeights } from './merge.ts';
import { apart, forWholeBase, startOf } from './start.ts';

const modules = new Map([['layers.0.q', { rank: 4, scale: 2 }]]);
const norm = (values: Float32Array) => Math.hypot(...values);
const minus = (a: Float32Array, b: Float32Array) => a.map((value, i) => value - (b[i] as number));

test("PEFT's own conversion of an adapter of PiSSA is ours", async () => {
  const model = goldenModel('llama3');
  const [ours, theirs] = await Promise.all(
    ['adapter_trained', 'adapter_converted'].map((name) =>
      loadLoraWeights(join(adapterGoldenPath('pissa'), name), model),
    ),
  );
  if (!ours || !theirs) throw new Error('an adapter is missing');
  expect([ours.r, ours.alpha]).toEqual([theirs.r, theirs.alpha]);
  for (const linear of theirs.modules.keys()) {
    const [merged, expected] = [await mergedWeights(model, ours, linear), await mergedWeights(model, theirs, linear)];
    expect(norm(minus(merged, expected)) / norm(expected)).toBeLessThan(1e-4);
  }
});

test.each([false, true])('taken apart it has the same bits, with rsLoRA: %s', async (rslora) => {
  const model = goldenModel('llama3');
  const { trained, start } = await loadBegun(join(adapterGoldenPath('pissa'), 'adapter_trained'), model);
  if (!start) throw new Error('PiSSA has a start');
  const [[own = '', module] = []] = trained.modules;
  if (!module) throw new Error('an adapter without modules');
  const withOwn = new Map(trained.modules).set(own, { ...module, rank: 4, alpha: 6 });
  const begun = { trained: { ...trained, rslora, modules: withOwn }, start };
  const back = apart(forWholeBase(begun));
  expect(back.start).toEqual(start);
  for (const [linear, { A, B, rank }] of begun.trained.modules) {
    expect(back.trained.modules.get(linear)).toMatchObject({ A, B, ...(rank && { rank }) });
  }
  expect(back.trained.alpha).toBeCloseTo(trained.alpha, 12);
});

test('with rsLoRA a resumed run has the alpha of its recipe to the last bit', async () => {
  const model = goldenModel('llama3');
  const { trained, start } = await loadBegun(join(adapterGoldenPath('pissa'), 'adapter_trained'), model);
  if (!start) throw new Error('PiSSA has a start');
  const whole = forWholeBase({ trained: { ...trained, rslora: true, alpha: 7 }, start });
  expect(whole.alpha / Math.SQRT2).not.toBe(7);
  expect(apart(whole, 7).trained.alpha).toBe(7);
  expect(apart(whole, 9).trained.alpha).toBeCloseTo(7, 12);
});

test('of LoftQ, base and start together are nearer to the weight than the base in 4 bits', async () => {
  const model = goldenModel('llama3');
  const start = (await startOf(model, modules, 'loftq')).get('layers.0.q');
  const tensor = model.tensors.get('layers.0.q') as ModelTensor;
  const weight = tensor.float32();
  const held = decodeNf4(await quantized(tensor, model), 0, weight.length);
  const plain = await loadLoraWeights(join(goldenPath('llama3'), 'adapter'), model);
  if (!start) throw new Error('nothing to start with');
  const adapter = {
    ...plain,
    r: 4,
    alpha: 8,
    rslora: false,
    quantizedBase: true,
    modules: new Map([['layers.0.q', start]]),
  };
  const together = await mergedWeights(model, adapter, 'layers.0.q');
  expect(norm(minus(together, weight))).toBeLessThan(0.9 * norm(minus(held, weight)));
});

test('a rank above what the weight has is refused', async () => {
  const wide = new Map([['layers.0.v', { rank: 17, scale: 1 }]]);
  await expect(startOf(goldenModel('llama3'), wide, 'pissa')).rejects.toMatchObject({ next: 'set lora_r: 16 or less' });
});
