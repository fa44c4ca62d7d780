import { cpSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { absmaxMap } from '@anneal/formats/bitsandbytes/nf4';
import { cpuDevice, Engine, float32Of, quantizeNf4 } from '@anneal/kernels';
import { expect, onTestFinished, test } from 'vitest';
import { randomModel } from '../src/bench/shapes.ts';
import { exportGguf, ggufFileName } from '../src/export/gguf.ts';
import { loraSpec } from '../src/models/adapters/lora.ts';
import { loadWeights } from '../src/models/load.ts';
import { nf4Forms, type Quantization } from '../src/models/nf4.ts';
import { type OpenModel, openModel } from '../src/models/open.ts';
import { supervised } from '../src/objectives/supervised.ts';
import { usualAdamw } from '../src/trainer/optimizer.ts';
import { planTraining } from '../src/trainer/planTraining.ts';
import { goldenModel, goldenPath, temporaryFolder } from './fixtures.ts';

function engineFor(model: OpenModel, quantization: Quantization = 'none'): Engine {
  const device = cpuDevice({ threads: 2 });
  const { plan } = planTraining({
    config: model.config,
    device,
    weightType: 'f32',
    nf4: nf4Forms(model, quantization),
    lora: loraSpec({ r: 2, alpha: 2, rslora: false, dora: false, dropout: 0 }, ['layers.0.q']),
    objective: supervised,
    optimizer: { ...usualAdamw, weightDecay: 0 },
    maxTokens: 8,
    activations: 'keep',
    memoryBudget: Number.POSITIVE_INFINITY,
    hostBudget: Number.POSITIVE_INFINITY,
    sampleContext: 0,
  });
  const engine = new Engine(plan, device);
  onTestFinished(() => engine.dispose());
  return engine;
}

function opened(path: string): OpenModel {
  const model = openModel(path);
  onTestFinished(() => model.close());
  return model;
}

async function expectAllWeights(engine: Engine, model: OpenModel): Promise<void> {
  for (const [name, tensor] of model.tensors)
    expect(float32Of(await engine.read(name)), name).toEqual(tensor.float32());
}

test.each(['llama3', 'qwen3'])('an engine reads what the files of %s hold', async (name) => {
  const model = goldenModel(name);
  const engine = engineFor(model);
  await loadWeights(engine, model);
  await expectAllWeights(engine, model);
});

// llama's GGUF files hold the rows of heads in another order; Q8_0 is decoded first.
test.each(['f32', 'f16', 'bf16', 'q8_0'] as const)('an engine reads what a GGUF file in %s holds', async (type) => {
  const folder = join(temporaryFolder(), 'gguf');
  await exportGguf(folder, { model: goldenModel('llama3'), adapter: null, types: [type], name: 'tiny' });
  const model = opened(join(folder, ggufFileName('tiny', type)));
  const engine = engineFor(model);
  await loadWeights(engine, model);
  await expectAllWeights(engine, model);
});

test('heads of a GGUF file are put in order before they are encoded', async () => {
  const folder = join(temporaryFolder(), 'gguf');
  await exportGguf(folder, { model: goldenModel('llama3'), adapter: null, types: ['bf16'], name: 'tiny' });
  const model = opened(join(folder, ggufFileName('tiny', 'bf16')));
  const engine = engineFor(model, 'nf4');
  await loadWeights(engine, model);
  const expected = await quantizeNf4(model.tensors.get('layers.0.q')?.bytes() as Uint8Array, 'bf16', absmaxMap());
  expect(await engine.read('layers.0.q/codes')).toEqual(expected?.codes);
  expect(await engine.read('layers.0.q/absmax')).toEqual(expected?.absmax);
});

test('random weights are one pattern from the beginning of each matrix on, read in whole or in rows', () => {
  const weight = randomModel('smollm2-135m').tensors.get('embed');
  const row = weight?.bytes({ first: 3, count: 1 });
  expect(row).toEqual(weight?.bytes({ first: 0, count: 5 }).subarray(3 * 576 * 2, 4 * 576 * 2));
  const source = weight?.source();
  if (!source || !('pattern' in source)) throw new Error('they come from no file');
  expect(row).toEqual(source.pattern.subarray(3 * 576 * 2, 4 * 576 * 2));
});

test.each(['none', 'nf4'] as const)('a file that was cut while it was open is refused: %s', async (quantization) => {
  const path = join(temporaryFolder(), 'model');
  cpSync(goldenPath('llama3'), path, { recursive: true });
  const model = opened(path);
  truncateSync(join(path, 'model.safetensors'), 20_000);
  await expect(loadWeights(engineFor(model, quantization), model)).rejects.toMatchObject({
    code: 'file_truncated',
    where: path,
    what: expect.stringMatching(/cannot be read: the file ends at byte 20000, before the tensor it should hold/),
  });
});
