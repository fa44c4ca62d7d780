/**
 * `anneal bench --shape` with a name that is no shape and no --dtype said so in the process of its first row, which the command then
 * reported as a defect of its own.
 */
import { expect, test } from 'vitest';
import { exitCodes } from '../apps/agent/src/exitCodes.ts';
import { annealIn, temporaryFolder } from '../apps/agent/test/helpers/anneal.ts';

test('a shape that is not there is an error of the input, which names those that are', async () => {
  const { code, stderr } = await annealIn(temporaryFolder())('bench', '--shape', 'nosuch');
  expect(code).toBe(exitCodes.badInput);
  expect(stderr).toMatch(/^error: there is no shape nosuch\n.*qwen3-0.6b/);
});
