import { fileURLToPath } from 'node:url';
import { absmaxMap, decodeNf4, NF4_VALUES } from '@anneal/formats/bitsandbytes/nf4';
import { openSafetensors } from '@anneal/formats/safetensors/read';
import { addon, cpuDevice, Engine, quantizeNf4, type SourceType } from '@anneal/kernels';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loraSpec } from '../src/models/adapters/lora.ts';
import { mergedWeights } from '../src/models/adapters/merge.ts';
import { loadWeights } from '../src/models/load.ts';
import { nf4Forms } from '../src/models/nf4.ts';
import { supervised } from '../src/objectives/supervised.ts';
import { usualAdamw } from '../src/trainer/optimizer.ts';
import { planTraining } from '../src/trainer/planTraining.ts';
import { openGolden } from '../src/verify/golden.ts';
import { verifyModel } from '../src/verify/verifyModel.ts';
import { goldenModel, goldenPath, nf4GoldenPath, temporaryFolder } from './fixtures.ts';
import { type TensorPlace, tensorsOf, withChanged } from './tamper.ts';

/** What bitsandbytes 0.50.2 makes of a matrix on a GPU, with a block of zeros in it. */
function bitsandbytes() {
  const source = openSafetensors(fileURLToPath(new URL('golden/nf4/nf4.safetensors', import.meta.url)));
  onTestFinished(() => source.close());
  return source;
}

const types: readonly (readonly [name: string, type: Extract<SourceType, 'f32' | 'bf16'>])[] = [
  ['f32', 'f32'],
  ['bf16', 'bf16'],
];

test('values and map are those of bitsandbytes', () => {
  const golden = bitsandbytes();
  expect(NF4_VALUES).toEqual(golden.float32('f32.single.code'));
  expect(absmaxMap()).toEqual(golden.float32('f32.double.nested_code'));
});

describe.each(types)('a matrix in %s', (name, type) => {
  test.each(addon().instructionSets())('is encoded to the bytes of bitsandbytes: %s', async (isa) => {
    const golden = bitsandbytes();
    for (const threads of [1, 3]) {
      const device = cpuDevice({ isa, threads });
      const single = await quantizeNf4(golden.bytes(`${name}.single.weight`), type, null, device);
      expect(single?.codes).toEqual(golden.bytes(`${name}.single.packed`));
      expect(single?.absmax).toEqual(golden.float32(`${name}.single.absmax`));
      const double = await quantizeNf4(golden.bytes(`${name}.double.weight`), type, absmaxMap(), device);
      expect(double?.codes).toEqual(golden.bytes(`${name}.double.packed`));
      expect(double?.absmax).toEqual(golden.bytes(`${name}.double.absmax`));
      expect(double?.double?.scales).toEqual(golden.float32(`${name}.double.nested_absmax`));
      expect(double?.double?.offset).toBe(golden.float32(`${name}.double.offset`)[0]);
    }
  });

  test.each(['single', 'double'] as const)('is decoded to the values of bitsandbytes, %s', async (form) => {
    const golden = bitsandbytes();
    const weight = golden.bytes(`${name}.${form}.weight`);
    const stored = await quantizeNf4(weight, type, form === 'double' ? absmaxMap() : null);
    if (!stored) throw new Error('the golden matrix is finite');
    const expected = golden.float32(`${name}.${form}.decoded`);
    const decoded = decodeNf4(stored, 0, expected.length);
    const rounded = type === 'bf16' ? decoded.map(roundToBf16) : decoded;
    expect(rounded.every((value, i) => value === expected[i])).toBe(true);
    expect(decodeNf4(stored, 100, 70)).toEqual(decoded.slice(100, 170));
  });
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
  'a weight of %d is refused',
  async (value) => {
    const weights = new Float32Array(192).fill(0.5);
    weights[70] = value;
    expect(await quantizeNf4(new Uint8Array(weights.buffer), 'f32', absmaxMap())).toBeNull();
  },
);

function roundToBf16(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  const all = bits[0] as number;
  bits[0] = (all + 0x7fff + ((all >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer)[0] as number;
}

/** Buffers of a plan begin at cache lines. */
function aligned(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}

describe('a checkpoint', () => {
  const optimizer = { ...usualAdamw, weightDecay: 0 } as const;
  const lora = loraSpec({ r: 2, alpha: 2, rslora: false, dora: false, dropout: 0 }, ['layers.0.q']);

  function planOf(name: string, quantization: 'none' | 'nf4') {
    const model = goldenModel(name, name.includes('bnb') ? nf4GoldenPath(name) : goldenPath(name));
    const device = cpuDevice({ threads: 2 });
    const { plan } = planTraining({
      config: model.config,
      device,
      weightType: 'f32',
      nf4: nf4Forms(model, quantization),
      lora,
      objective: supervised,
      optimizer,
      maxTokens: 32,
      activations: 'keep',
      memoryBudget: Number.POSITIVE_INFINITY,
      hostBudget: Number.POSITIVE_INFINITY,
      sampleContext: 0,
    });
    return { model, device, plan };
  }

  test('in float32 is held as it is encoded', async () => {
    const { model, device, plan } = planOf('llama3', 'nf4');
    const engine = new Engine(plan, device);
    onTestFinished(() => engine.dispose());
    await loadWeights(engine, model);
    const weight = model.tensors.get('layers.1.gate')?.bytes() as Uint8Array;
    const expected = await quantizeNf4(weight, 'f32', absmaxMap());
    expect(await engine.read('layers.1.gate/codes')).toEqual(expected?.codes);
    expect(await engine.read('layers.1.gate/absmax')).toEqual(expected?.absmax);
    expect(await engine.read('layers.1.gate/scales')).toEqual(expected?.double?.scales);
    expect(plan.variables.has('layers.1.gate')).toBe(false);
    expect(plan.variables.has('lm_head')).toBe(true);
  });

  test('in NF4 stays so, and layers in 16 or 32 bits stay what they are', () => {
    const { plan } = planOf('llama3-bnb-4bit-mixed', 'nf4');
    const held = (name: string) => [plan.variables.has(`${name}/codes`), plan.variables.has(name)];
    expect(held('layers.0.gate')).toEqual([true, false]);
    expect(held('layers.0.q')).toEqual([false, true]);
    expect(held('layers.1.down')).toEqual([false, true]);
  });

  test('takes half a byte a weight and 4 bytes for 256 blocks, exactly as planned', () => {
    const linears = [...nf4Forms(goldenModel('llama3'), 'nf4').keys()];
    const { plan: dense, model } = planOf('llama3', 'none');
    const { plan: held } = planOf('llama3', 'nf4');
    let difference = 0;
    for (const name of linears) {
      const [rows = 0, columns = 0] = model.tensors.get(name)?.shape ?? [];
      const blocks = (rows * columns) / 64;
      const parts = [(rows * columns) / 2, blocks, 4 * Math.ceil(blocks / 256), 4];
      difference += aligned(4 * rows * columns) - parts.reduce((sum, bytes) => sum + aligned(bytes), 0);
    }
    expect(dense.memory.weights - held.memory.weights).toBe(difference);
  });

  test('a decoded weight lives for one product: one at a time, in each pass again', () => {
    const { plan } = planOf('llama3', 'nf4');
    const launches = plan.programs.find(({ name }) => name === 'train')?.launches ?? [];
    const decodes = launches.flatMap(({ node }, at) => (node.op.transient ? [{ node, at }] : []));
    expect(decodes.length).toBeGreaterThan(14);
    for (const { node, at } of decodes) {
      const users = launches.flatMap((launch, i) =>
        Object.values(launch.node.inputs).includes(node.outputs['weight']) ? [i] : [],
      );
      expect(users).toEqual([at + 1]);
    }
  });

  test('is merged from its decoded weights', async () => {
    const model = goldenModel('bnb', nf4GoldenPath('llama3-bnb-4bit'));
    const stored = model.tensors.get('layers.0.q')?.nf4?.read();
    if (!stored) throw new Error('the checkpoint is in NF4');
    expect(await mergedWeights(model, null, 'layers.0.q')).toEqual(decodeNf4(stored, 0, 32 * 32));
  });
});

const golden = ['llama3-bnb-4bit', 'llama3-bnb-4bit-mixed'];

describe.each(golden)('%s as bitsandbytes, transformers and PEFT compute it', (name) => {
  test.each(addon().instructionSets())('%s', async (isa) => {
    const quantities = await verifyModel(nf4GoldenPath(name), cpuDevice({ isa, threads: 2 }));
    expect(quantities.filter(({ passed }) => !passed)).toEqual([]);
    const values = openGolden(nf4GoldenPath(name));
    values.close();
    expect(new Set(quantities.map((quantity) => quantity.name))).toEqual(
      new Set(values.names.filter((value) => value !== 'input_ids')),
    );
  });

  test('with one byte of codes changed in any matrix fails', async () => {
    const path = nf4GoldenPath(name);
    const missed: string[] = [];
    const matrices = tensorsOf(`${path}/model.safetensors`).filter(
      (t) => t.dtype === 'U8' && t.name.endsWith('weight'),
    );
    expect(matrices.length).toBeGreaterThan(8);
    for (const matrix of matrices) {
      const quantities = await withChanged(
        path,
        `${temporaryFolder()}/${name}`,
        'model.safetensors',
        (bytes) => changeCode(bytes, matrix),
        (folder) => verifyModel(folder, cpuDevice({ threads: 2 })),
      );
      if (quantities.every(({ passed }) => passed)) missed.push(matrix.name);
    }
    expect(missed).toEqual([]);
  });
});

/** From one end of the values to the other. */
function changeCode(bytes: Buffer, { start }: TensorPlace): void {
  bytes.writeUInt8(bytes.readUInt8(start) ^ 0xf0, start);
}
