import { describe, expect, test } from 'vitest';
import { type MiniModelOptions, miniBatch, miniModel } from '../../test/miniModel.ts';
import type { Step } from '../../test/problem.ts';
import { type CpuDevice, cpuDevice } from '../device.ts';
import type { Plan } from '../plan.ts';
import { type Bounds, byteLength } from '../tensor.ts';
import { tiledNodes } from './tile.ts';

const cpu = cpuDevice({ threads: 1 });
/** A processor that tiles and offloads as a GPU does, at a few tokens. */
const device: CpuDevice = { ...cpu, tileRows: 5, rates: { ...cpu.rates, hostBytesPerSecond: 1e9 } };
const bounds: Bounds = { T: 12, S: 4, R: 12 };
const usual: MiniModelOptions = { layers: 3, lora: true, tied: false, dropout: 0, bounds };
const models: [string, MiniModelOptions][] = [
  ['LoRA', usual],
  ['full fine-tuning', { ...usual, lora: false }],
];
/** Of three tiles, and of one and a little. */
const batches = [miniBatch([4, 1, 7], 1 / 20), miniBatch([2, 4], 1 / 20), miniBatch([3], 1 / 20)];

function tilesOf({ programs }: Plan): number {
  return programs.flatMap(({ launches }) => launches).filter(({ node }) => typeof node.extents['T'] === 'object')
    .length;
}

function largestDifference(a: Step, b: Step): number {
  const differences = [...a.gradients].map(([name, gradient]) => {
    const other = b.gradients.get(name) as Float32Array;
    const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
    return Math.max(...gradient.map((value, i) => Math.abs(value - (other[i] as number)) / largest));
  });
  return Math.max(Math.abs(a.loss / b.loss - 1), ...differences);
}

describe.each(models)('%s', (_, options) => {
  test('has the same bits under every policy, and those of whole tensors but for the order of sums', async () => {
    const p = miniModel(options);
    const whole = await p.step(p.compile({ activations: 'keep' }, cpu), batches, cpu);
    const plans = (['keep', 'recompute', 'offload'] as const).map((activations) => p.compile({ activations }, device));
    const [first, ...others] = await Promise.all(plans.map((plan) => p.step(plan, batches, device)));
    for (const plan of plans) expect(tilesOf(plan)).toBeGreaterThan(0);
    for (const other of others) expect(other).toEqual(first);
    expect(largestDifference(first as Step, whole)).toBeLessThan(2e-6);
  });
});

test('what is wide, and what lies between, is tiled; attention and norms are not', () => {
  const { graph } = miniModel(usual);
  const ops = new Set([...tiledNodes(graph)].map(({ op }) => op.name));
  expect(ops).toContain('swiglu');
  expect(ops).toContain('swiglu_backward');
  for (const name of ['attention', 'rms_norm', 'embedding']) expect(ops).not.toContain(name);
});

test('rows of no more than two tiles are not tiled', () => {
  const p = miniModel(usual);
  expect(tilesOf(p.compile({ activations: 'keep' }, device, { ...bounds, T: 10 }))).toBe(0);
  expect(tilesOf(p.compile({ activations: 'keep' }, device, { ...bounds, T: 11 }))).toBeGreaterThan(0);
});

/** Bytes of the largest piece of a layer's widest result. */
function widest({ programs, bounds: of }: Plan): number {
  const outputs = programs.flatMap(({ launches }) => launches).flatMap(({ node }) => Object.values(node.outputs));
  return Math.max(...outputs.filter(({ name }) => name.startsWith('swiglu.y')).map((t) => byteLength(t, of)));
}

test('wide results that only tiles read exist for one tile at a time', () => {
  const long: Bounds = { T: 1000, S: 4, R: 1000 };
  const compiled = (tileRows: number | null) =>
    miniModel({ ...usual, wide: 64, bounds: long }).compile({ activations: 'recompute' }, { ...device, tileRows });
  const [whole, tiled] = [compiled(null), compiled(100)];
  expect(widest(tiled)).toBe(widest(whole) / 10);
  expect(tiled.memory.activations).toBeLessThan(0.8 * whole.memory.activations);
});
