import { describe, expect, test } from 'vitest';
import { miniModel } from '../../test/miniModel.ts';
import { cpuDevice } from '../device.ts';
import type { Node } from '../graph.ts';
import { byteLength, type Tensor } from '../tensor.ts';
import { recompute } from './recompute.ts';
import type { Recomputed } from './saving.ts';
import { recomputable } from './savings.ts';

const bounds = { T: 64, S: 4, R: 64 };
const device = cpuDevice({ threads: 2 });
const layers = 3;
const { graph } = miniModel({ layers, lora: true, tied: true, dropout: 0, bounds });
const all = recomputable(graph, bounds, device).map(({ saving }) => saving);

/** Bytes of the layers' forward results that the backward pass reads. */
function keptBytes(nodes: readonly Node[]): number {
  const kept = new Set<Tensor>();
  for (const { phase, layer, inputs } of nodes) {
    if (phase === 'forward' || layer === null) continue;
    for (const input of Object.values(inputs)) if (input?.producer?.phase === 'forward') kept.add(input);
  }
  return [...kept].reduce((sum, tensor) => sum + byteLength(tensor, bounds), 0);
}

describe('one saving more', () => {
  const counts = [...all.keys()];
  const after = (count: number) => recompute(graph, new Set(all.slice(0, count).flatMap(({ nodes }) => nodes)));

  test('keeps as many bytes less as it says', () => {
    for (const count of counts)
      expect(keptBytes(after(count)) - keptBytes(after(count + 1)), all[count]?.what).toBe(all[count]?.bytes);
  });

  test('names each node once, and saves something', () => {
    const nodes = all.flatMap((saving) => saving.nodes);
    expect(new Set(nodes).size).toBe(nodes.length);
    for (const { bytes, milliseconds } of all) {
      expect(bytes).toBeGreaterThan(0);
      expect(milliseconds).toBeGreaterThan(0);
    }
  });
});

test('layers of equal shapes have equal savings, elementwise ones before products', () => {
  const of = (layer: number) => all.filter((saving) => saving.layer === layer).map(({ what }) => what);
  expect(of(1)).toEqual(of(2));
  const position = (what: string, isOne: (saving: Recomputed) => boolean) => {
    const found = all.findIndex((saving) => saving.layer === 1 && isOne(saving));
    expect(found, what).toBeGreaterThanOrEqual(0);
    return found;
  };
  const swiglu = position('swiglu', ({ what }) => what === 'swiglu');
  const product = position('a product', ({ nodes }) => nodes.some(({ op }) => op.name === 'linear'));
  expect(all[swiglu]?.isElementwise).toBe(true);
  expect(swiglu).toBeLessThan(product);
});

/** Expected milliseconds of everything, and of a product, with such rates. */
function expected(flops: number, bytesPerSecond: number): { all: number; gate: number | undefined } {
  const rates = { ...device.rates, flopsPerSecond: { f32: flops, bf16: flops }, bytesPerSecond, launchSeconds: 0 };
  const found = recomputable(graph, bounds, { ...device, rates }).map(({ saving }) => saving);
  return {
    all: found.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
    gate: found.find(({ layer, what }) => layer === 1 && what.startsWith('gate +'))?.milliseconds,
  };
}

test('on twice as fast a memory, what only passes over it takes half the time; products do not', () => {
  expect(expected(1e15, 2e9).all).toBeCloseTo(expected(1e15, 1e9).all / 2, 9);
  expect(expected(1e3, 2e12).gate).toBeCloseTo(expected(1e3, 1e12).gate as number, 9);
});
