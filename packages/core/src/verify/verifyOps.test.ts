import { cpuDevice } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { type OpSelection, verifyOps } from './verifyOps.ts';

async function casesOf(selection: OpSelection): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for await (const { op, cases, problems } of verifyOps(cpuDevice({ threads: 1 }), selection)) {
    expect(problems).toEqual([]);
    counts[op] = cases;
  }
  return counts;
}

test('a text selects cases, and ops that have none are left out', async () => {
  const ops = ['gated_delta', 'scale'];
  const whole = await casesOf({ ops });
  expect(await casesOf({ ops, caseText: 'empty documents:' })).toEqual({ gated_delta: 1 });
  expect(whole['gated_delta']).toBeGreaterThan(1);
  expect(whole['scale']).toBeGreaterThan(0);
});

test('a text that no case has is refused, not passed', () => {
  const selection = { ops: ['gated_delta'], caseText: 'no such case' };
  expect(() => verifyOps(cpuDevice({ threads: 1 }), selection)).toThrow(
    expect.objectContaining({ name: 'UserError', code: 'unknown_case' }),
  );
});
