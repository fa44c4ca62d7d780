import { describe, expect, test } from 'vitest';
import { type MiniModelOptions, miniBatch, miniModel } from '../../test/miniModel.ts';
import { hostBase } from '../addresses.ts';
import { type CpuDevice, cpuDevice } from '../device.ts';
import type { Plan } from '../plan.ts';

const cpu = cpuDevice({ threads: 1 });
/** A processor that plans as a GPU does: it runs what was placed in the host's memory all the same. */
const device: CpuDevice = { ...cpu, rates: { ...cpu.rates, hostBytesPerSecond: 1e10 } };
const untied: MiniModelOptions = { layers: 2, lora: true, tied: false, dropout: 0, bounds: { T: 12, S: 4 } };
const batch = miniBatch([4, 1, 7], 1 / 10);

function placed({ variables }: Plan): string[] {
  return [...variables].flatMap(([name, { offset }]) => (offset >= hostBase ? [name] : []));
}

test('recompute places the embedding in the host: its bytes are no longer in the total, and the bits stay', async () => {
  const p = miniModel(untied);
  const here = p.compile({ activations: 'recompute' }, cpu);
  const there = p.compile({ activations: 'recompute' }, device);
  expect(placed(there)).toEqual(['embed']);
  expect(there.memory.host).toBeGreaterThan(0);
  expect(here.memory.total - there.memory.total).toBe(there.memory.host);
  expect(here.memory.weights - there.memory.weights).toBe(there.memory.host);
  expect(await p.step(there, [batch], device)).toEqual(await p.step(here, [batch], cpu));
});

test('auto does so only where memory is short', () => {
  const p = miniModel(untied);
  const whole = p.compile({ activations: 'auto', memoryBudget: Number.POSITIVE_INFINITY }, device);
  expect(placed(whole)).toEqual([]);
  expect(placed(p.compile({ activations: 'auto', memoryBudget: 1 }, device))).toEqual(['embed']);
});

describe.each<[string, MiniModelOptions]>([
  ['that is the head, too', { ...untied, tied: true }],
  ['that is trained', { ...untied, lora: false }],
])('an embedding %s', (_, options) => {
  test('stays where it is', () => {
    const { memory, ...plan } = miniModel(options).compile({ activations: 'recompute' }, device);
    expect([placed({ memory, ...plan }), memory.host]).toEqual([[], 0]);
  });
});
