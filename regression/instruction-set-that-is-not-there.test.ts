/** ANNEAL_ISA with a set that the processor does not run was reported as a defect of ours, and as an addon that is not built. */
import { expect, test } from 'vitest';
import { exitCodes } from '../apps/agent/src/exitCodes.ts';
import { annealIn, temporaryFolder } from '../apps/agent/test/helpers/anneal.ts';

const environment = { ANNEAL_ISA: 'avx1024' };

test('an instruction set that is not there is an error that names those that are', async () => {
  const anneal = annealIn(temporaryFolder(), environment);
  const { code, stderr } = await anneal('selftest', '--device', 'cpu');
  expect(stderr).toContain('ANNEAL_ISA is avx1024, which this processor does not run');
  expect(stderr).toMatch(/set it to one of .*plain/);
  expect(code).toBe(exitCodes.badInput);
  expect((await anneal('doctor')).stdout).toMatch(/ANNEAL_ISA is avx1024[^]*set it to one of/);
});
