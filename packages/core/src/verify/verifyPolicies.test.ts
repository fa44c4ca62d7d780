import { cpuDevice } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { type PolicyOutcome, policiesOn, verifyPolicies } from './verifyPolicies.ts';

const cpu = cpuDevice({ threads: 2 });
/** A processor that plans as a GPU does: it runs what was placed in the host's memory all the same. */
const device = { ...cpu, rates: { ...cpu.rates, hostBytesPerSecond: 1e10 } };

test('every policy gives the same bits, in less memory of the device', async () => {
  const outcomes: PolicyOutcome[] = [];
  for await (const outcome of verifyPolicies(device)) outcomes.push(outcome);
  const variants = Map.groupBy(outcomes, ({ variant }) => variant);
  expect([...variants.keys()]).toEqual(['', 'nf4', 'in tiles']);
  for (const [keep, ...others] of variants.values()) {
    expect([keep?.policy, ...others.map(({ policy }) => policy)]).toEqual(policiesOn(device));
    expect(keep?.memory.host).toBe(0);
    for (const { policy, isSame, memory, values } of others) {
      expect(isSame, policy).toBe(true);
      expect(values).toEqual(keep?.values);
      expect(memory.device).toBeLessThan(keep?.memory.device as number);
      expect(memory.host).toBeGreaterThan(0);
    }
    expect(keep?.values[0], 'the loss of the first step').not.toBe(keep?.values[2]);
  }
});
