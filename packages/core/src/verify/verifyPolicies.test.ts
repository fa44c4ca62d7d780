import { cpuDevice } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { describeDifference, type PolicyOutcome, policiesOn, verifyPolicies } from './verifyPolicies.ts';

const cpu = cpuDevice({ threads: 2 });
/** A processor that plans as a GPU does: it runs what was placed in the host's memory all the same. */
const device = { ...cpu, rates: { ...cpu.rates, hostBytesPerSecond: 1e10 } };

test('every policy gives the same bits, in less memory of the device', async () => {
  const outcomes = new Map<string, PolicyOutcome>();
  for await (const outcome of verifyPolicies(device)) outcomes.set(outcome.name, outcome);
  const series = policiesOn(device).map((variants) => variants.map(({ name }) => outcomes.get(name) as PolicyOutcome));
  expect(series.flat()).toHaveLength(outcomes.size);
  for (const [keep, ...others] of series) {
    expect(keep?.memory.host).toBe(0);
    for (const { name, difference, memory, values } of others) {
      expect(difference, name).toBeNull();
      expect(values).toEqual(keep?.values);
      if (name.startsWith('keep')) continue;
      expect(memory.device, name).toBeLessThan(keep?.memory.device as number);
      expect(memory.host > 0, name).toBe(!name.includes('nothing in the host'));
    }
    expect(keep?.values.get('loss of step 1')).not.toEqual(keep?.values.get('loss of step 2'));
  }
});

function valuesOf(norm: number, last: number): Map<string, Float64Array> {
  return new Map([
    ['loss', Float64Array.of(2)],
    ['norm', Float64Array.of(norm)],
    ['a', Float64Array.of(1, 2, last)],
  ]);
}

test('the first value that differs is told', () => {
  expect(describeDifference(valuesOf(1, 3), valuesOf(1, 3))).toBeNull();
  expect(describeDifference(valuesOf(1, 0), valuesOf(1, -0))).toBe('a[2] is 0, not 0; in all 1 of 3 differ');
  expect(describeDifference(valuesOf(1, 3), valuesOf(4, 5))).toBe('norm is 4, not 1; in all 2 of 3 differ');
});
