import { expect, test } from 'vitest';
import { type MiniModelOptions, miniModel } from '../test/miniModel.ts';
import { cpuDevice, cudaDevice, type Device } from './device.ts';
import { Graph } from './graph.ts';
import { defineOp } from './op.ts';
import { type CompileOptions, compile, deviceBytes, type Plan } from './plan.ts';
import { Variables } from './variables.ts';

const model: MiniModelOptions = { layers: 4, lora: true, tied: true, dropout: 0.1, bounds: { T: 256, S: 9 } };
const bounds = { T: 256, S: 9, R: 256 };
const device = cpuDevice({ threads: 2 });
const { graph } = miniModel(model);
const planWith = (options: Pick<CompileOptions, 'activations' | 'memoryBudget'>): Plan =>
  compile([graph], { bounds, device, ...options });
const kept = planWith({ activations: 'keep' });
const recomputed = planWith({ activations: 'recompute' });

test('the same program gives the same bytes', () => {
  const bytes = Buffer.from(kept.encode());
  expect(Buffer.from(kept.encode())).toEqual(bytes);
  expect(Buffer.from(planWith({ activations: 'keep' }).encode())).toEqual(bytes);
  const again = compile([miniModel(model).graph], { bounds, device, activations: 'keep' });
  expect(Buffer.from(again.encode())).toEqual(bytes);
});

test('the classes of memory sum to its total, and everything lies inside', () => {
  for (const { memory, variables, programs, scratch: own } of [kept, recomputed]) {
    const { total, libraries, driver, host, ...classes } = memory;
    expect([libraries, driver, host], 'of a processor').toEqual([0, 0, 0]);
    expect(Object.values(classes).reduce((sum, bytes) => sum + bytes, 0)).toBe(total);
    expect(own.offset + own.bytesPerThread * own.threads).toBe(total);
    const activationsFrom = total - memory.activations - own.bytesPerThread * own.threads;
    for (const { offset } of variables.values()) expect(offset).toBeLessThan(activationsFrom);
    for (const { offset } of programs[0]?.inputs.values() ?? []) expect(offset).toBeGreaterThanOrEqual(activationsFrom);
  }
});

test('only what is trained has gradients', () => {
  const names = [...kept.variables.keys()].filter((name) => name.startsWith('gradient/'));
  expect(names).toHaveLength(2 * 7 * 4); // two factors on seven linears of four layers
  expect(names.every((name) => /\.[AB]$/.test(name))).toBe(true);
});

const whole = planWith({ activations: 'auto', memoryBudget: Number.POSITIVE_INFINITY });
const budgets = [0.9, 0.7, 0.5, 0.3, 0.1].map((share) =>
  Math.floor(recomputed.memory.total + share * (whole.memory.total - recomputed.memory.total)),
);

function milliseconds(plan: Plan): number {
  return plan.savings.reduce((sum, saving) => sum + saving.milliseconds, 0);
}

test('auto keeps everything where it fits; the less memory, the more is computed again and the longer it takes', () => {
  const plans = [whole, ...budgets.map((memoryBudget) => planWith({ activations: 'auto', memoryBudget }))];
  expect(whole.savings).toEqual([]);
  for (const [i, plan] of plans.entries()) {
    const before = plans[i - 1];
    if (!before) continue;
    expect(plan.memory.total).toBeLessThan(before.memory.total);
    expect(milliseconds(plan)).toBeGreaterThan(milliseconds(before));
    expect(plan.savings.slice(0, before.savings.length)).toEqual(before.savings);
  }
});

test.each(budgets)('auto fills %i bytes but for less than its largest saving', (memoryBudget) => {
  const { memory, savings } = planWith({ activations: 'auto', memoryBudget });
  const unused = memoryBudget - memory.total;
  expect(unused).toBeGreaterThanOrEqual(0);
  expect(unused).toBeLessThan(Math.max(...savings.map(({ bytes }) => bytes)));
});

test('keep computes elementwise results again whose inputs it has, never a product', () => {
  const plain = compile([miniModel({ ...model, dropout: 0 }).graph], { bounds, device, activations: 'keep' });
  for (const { savings } of [kept, plain])
    for (const saving of savings) {
      const nodes = saving.how === 'recompute' ? saving.nodes : [];
      expect(nodes.map(({ op }) => op.cheap)).toEqual([true]);
    }
  expect(plain.savings.map(({ what }) => what)).toEqual(
    expect.arrayContaining(['attention_norm', 'mlp_norm', 'swiglu']),
  );
});

test('auto recomputes all it can where nothing fits, and needs a budget', () => {
  const plan = planWith({ activations: 'auto', memoryBudget: 1 });
  expect(Buffer.from(plan.encode())).toEqual(Buffer.from(recomputed.encode()));
  expect(() => planWith({ activations: 'auto' })).toThrow('needs a memory budget');
});

test('on a GPU what its driver keeps for a plan has to be free, too', () => {
  const gpu = cudaDevice({
    index: 0,
    name: 'GPU',
    busId: '',
    computeCapability: '9.0',
    memoryBytes: 80e9,
    libraryBytes: 0,
  });
  const onGpu = (options: Pick<CompileOptions, 'activations' | 'memoryBudget'>) =>
    compile([graph], { bounds, device: gpu, ...options });
  const needed = deviceBytes(onGpu({ activations: 'auto', memoryBudget: Number.POSITIVE_INFINITY }).memory);
  expect(onGpu({ activations: 'auto', memoryBudget: needed }).savings).toEqual([]);
  expect(onGpu({ activations: 'auto', memoryBudget: needed - 1 }).savings).not.toEqual([]);
  const { host, driver } = onGpu({ activations: 'offload' }).memory;
  expect(host).toBeGreaterThan(0);
  expect(driver - 10e6).toBe(8 * Math.ceil(host / 4096));
});

function memoryAt(T: number, S: number): Plan['memory'] {
  return compile([graph], { bounds: { T, S, R: T }, device, activations: 'keep' }).memory;
}

test('bytes grow with the tokens of a row, not with its documents', () => {
  const usual = memoryAt(256, 9);
  expect(memoryAt(512, 9).activations).toBeGreaterThan(1.9 * usual.activations);
  expect(memoryAt(256, 200).activations - usual.activations).toBeLessThan(2000);
  expect(memoryAt(512, 9).parameters).toBe(usual.parameters);
});

const weighed = defineOp({
  name: 'weighed',
  inputs: { x: 'A[T,K]', weights: 'f32[T]?' },
  outputs: { y: 'A[T,K]' },
  cpuOnly: ['weights'],
  flops: () => 0,
});

function planOfWeighed(where: Device, isWeighed: boolean): Plan {
  const own = new Graph('weighed', new Variables());
  const weights = isWeighed ? own.input('weights', 'f32', ['T']) : undefined;
  own.result('y', own.apply(weighed, { x: own.input('x', 'f32', ['T', 8]), weights }).y);
  return compile([own], { bounds: { T: 2 }, device: where, activations: 'keep' });
}

test('what the CUDA kernels of an op do not take is refused when a plan for a GPU is compiled', () => {
  const gpu = { ...device, kind: 'cuda' } as unknown as Device;
  expect(() => planOfWeighed(gpu, true)).toThrow('weighed: the cuda backend has no kernel for it yet');
  for (const isWeighed of [true, false]) expect(planOfWeighed(device, isWeighed).programs).toHaveLength(1);
  expect(planOfWeighed(gpu, false).programs).toHaveLength(1);
});
