import { expect, test } from 'vitest';
import { type MiniModelOptions, miniModel } from '../test/miniModel.ts';
import { cpuDevice } from './device.ts';
import { type CompileOptions, compile, type Plan } from './plan.ts';

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
    const { total, ...classes } = memory;
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

/** The plans that `auto` goes through as memory shrinks. */
function shrinking(): Plan[] {
  const plans = [kept];
  for (let plan = kept; plan.memory.total > recomputed.memory.total; plans.push(plan))
    plan = planWith({ activations: 'auto', memoryBudget: plan.memory.total - 1 });
  return plans;
}

test('recomputation goes from the cheap ops of one layer to everything in all, and costs ever more', () => {
  const plans = shrinking();
  const levels = plans.map(({ programs }) => programs[0]?.levels.join(' '));
  expect(levels[0]).toBe('none none none none');
  expect(levels).toContain('cheap cheap cheap cheap');
  expect(levels.at(-1)).toBe('full full full full');
  for (const [i, plan] of plans.entries()) {
    const before = plans[i - 1];
    if (!before) continue;
    expect(plan.memory.total, levels[i]).toBeLessThan(before.memory.total);
    expect(plan.programs[0]?.flops, levels[i]).toBeGreaterThan(before.programs[0]?.flops as number);
  }
});

test('auto recomputes the least that fits', () => {
  const plans = shrinking();
  for (const [i, { memory }] of plans.entries()) {
    const between = Math.floor((memory.total + (plans[i - 1]?.memory.total ?? 2 * memory.total)) / 2);
    for (const memoryBudget of [memory.total, between]) {
      const plan = planWith({ activations: 'auto', memoryBudget });
      expect(Buffer.from(plan.encode())).toEqual(Buffer.from((plans[i] as Plan).encode()));
    }
  }
});

test('auto recomputes all it can where nothing fits, and needs a budget', () => {
  const plan = planWith({ activations: 'auto', memoryBudget: 1 });
  expect(Buffer.from(plan.encode())).toEqual(Buffer.from(recomputed.encode()));
  expect(() => planWith({ activations: 'auto' })).toThrow('needs a memory budget');
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
