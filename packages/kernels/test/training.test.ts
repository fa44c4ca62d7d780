import { describe, expect, test } from 'vitest';
import { addon } from '../src/addon.ts';
import { cpuDevice } from '../src/device.ts';
import type { Plan } from '../src/plan.ts';
import { type MiniModelOptions, miniBatch, miniModel } from './miniModel.ts';
import { type Problem, type Step, wrongSlopes } from './problem.ts';

const device = cpuDevice({ threads: 2 });
const widestAndPlain = addon()
  .instructionSets()
  .filter((_, i, all) => i === 0 || i === all.length - 1);
const batch = miniBatch([4, 1, 7], 1 / 10);
const usual: MiniModelOptions = { layers: 2, lora: true, tied: true, dropout: 0, bounds: { T: 12, S: 4 } };
const models: Record<string, MiniModelOptions> = {
  LoRA: usual,
  'LoRA with dropout, untied': { ...usual, tied: false, dropout: 0.2 },
  'full, tied': { ...usual, lora: false },
  'full, untied': { ...usual, lora: false, tied: false },
};

describe.each(Object.entries(models))('%s', (_, options) => {
  test('gradients are the slopes of the float64 loss', async () => {
    const p = miniModel(options);
    const step = await p.step(p.compile({ activations: 'keep' }, device), [batch], device);
    expect(step.loss / 10).toBeCloseTo(p.loss([batch]), 5);
    expect(wrongSlopes(p, [batch], step, 29)).toEqual([]);
  });

  test.each(widestAndPlain)('any recomputation gives the same bits on %s', async (isa) => {
    const p = miniModel(options);
    const here = cpuDevice({ isa, threads: 1 });
    const whole = p.compile({ activations: 'auto', memoryBudget: Number.POSITIVE_INFINITY }, here);
    expect(whole.savings).toEqual([]);
    const expected = await p.step(whole, [batch], here);
    const repeated = new Set<string>();
    for (const plan of [p.compile({ activations: 'keep' }, here), ...plansOf(p, whole, here)]) {
      for (const saving of plan.savings)
        if (saving.how === 'recompute') for (const { op } of saving.nodes) repeated.add(op.name);
      const what = plan.savings.map((saving) => saving.what).join();
      expect(bitsOf(await p.step(plan, [batch], here)), what).toEqual(bitsOf(expected));
    }
    expect([...repeated]).toEqual(expect.arrayContaining(['attention', 'linear', 'rms_norm', 'rope', 'swiglu']));
  });
});

test('moving along the gradient lowers the native loss by its square', async () => {
  const p = miniModel({ ...usual, lora: false });
  const plan = p.compile({ activations: 'keep' }, device);
  const { gradients } = await p.step(plan, [batch], device);
  const square = [...gradients.values()].flatMap((g) => [...g]).reduce((sum, g) => sum + g * g, 0);
  const lossAt = async (distance: number) => {
    const moved = p.parameters.map((parameter): [string, Float64Array] => {
      const gradient = gradients.get(parameter.name) as Float32Array;
      return [parameter.name, p.start(parameter).map((value, i) => value + distance * (gradient[i] as number))];
    });
    const all = new Map([...p.starts, ...moved]);
    return (await p.step(plan, [batch], device, all)).loss / 10;
  };
  const h = 1e-3; // float32 losses are good to about 1e-7, so the slope to 1e-4
  const slope = ((await lossAt(h)) - (await lossAt(-h))) / (2 * h);
  expect(Math.abs(slope / square - 1)).toBeLessThan(2e-3);
});

test('several batches accumulate to the gradient of their sum', async () => {
  const p = miniModel({ ...usual, dropout: 0.1 });
  const batches = [miniBatch([4, 1, 7], 1 / 20), miniBatch([9], 1 / 20), miniBatch([1, 2], 1 / 20)];
  const plan = p.compile({ activations: 'recompute' }, device);
  const step = await p.step(plan, batches, device);
  expect(step.loss / 20).toBeCloseTo(p.loss(batches), 5);
  expect(wrongSlopes(p, batches, step, 41)).toEqual([]);
  expect(bitsOf(await p.step(plan, batches, device)), 'a second step starts from zero').toEqual(bitsOf(step));
});

test('a smaller row than the plan is made for gives the bits of a plan of its size', async () => {
  const p = miniModel(usual);
  const small = miniBatch([3, 2], 1 / 4);
  const exact = p.compile({ activations: 'keep' }, device, { T: 5, S: 3, R: 5 });
  const larger = p.compile({ activations: 'keep' }, device);
  expect(larger.memory.total).toBeGreaterThan(exact.memory.total);
  expect(bitsOf(await p.step(larger, [small], device))).toEqual(bitsOf(await p.step(exact, [small], device)));
});

test('documents of one batch do not see each other', async () => {
  const p = miniModel({ ...usual, bounds: { T: 14, S: 4 } });
  const plan = p.compile({ activations: 'keep' }, device);
  const together = miniBatch([6, 8], 1 / 10);
  const apart = [
    { from: 0, to: 6 },
    { from: 6, to: 14 },
  ].map(({ from, to }) => ({
    extents: { T: to - from, S: 2 },
    inputs: {
      ...Object.fromEntries(
        ['tokens', 'positions', 'labels'].map((k) => [k, together.inputs[k]?.slice(from, to) ?? []]),
      ),
      cuSeqlens: [0, to - from],
      scale: [1 / 10],
    },
  }));
  const [one, two] = [await p.step(plan, [together], device), await p.step(plan, apart, device)];
  // Sums of float32: the last bit of this one is 8e-8 of it.
  expect(Math.abs(one.loss / two.loss - 1)).toBeLessThan(1e-6);
  for (const [name, gradient] of one.gradients) {
    const other = two.gradients.get(name) as Float32Array;
    const largest = gradient.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
    for (const [i, g] of gradient.entries())
      expect(Math.abs(g - (other[i] as number))).toBeLessThanOrEqual(1e-5 * largest);
  }
});

/** Plans that `auto` makes as memory shrinks, down to the one that recomputes all it can. */
function plansOf(p: Problem, whole: Plan, here: typeof device): Plan[] {
  const least = p.compile({ activations: 'recompute' }, here);
  const between = [0.8, 0.6, 0.4, 0.2].map(
    (share) => least.memory.total + share * (whole.memory.total - least.memory.total),
  );
  return [...between.map((memoryBudget) => p.compile({ activations: 'auto', memoryBudget }, here)), least];
}

function bitsOf({ loss, gradients }: Step): Record<string, unknown> {
  return { loss, ...Object.fromEntries([...gradients].map(([name, g]) => [name, Buffer.from(g.buffer)])) };
}
