/** Node's recursive mkdir never returns where a folder that is there answers ENOENT to every new name: `--runs-dir /proc/x` hung. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startNode, temporaryFolder } from '../apps/agent/test/helpers/anneal.ts';

const makeFolder = join(import.meta.dirname, '..', 'packages', 'formats', 'src', 'files', 'makeFolder.ts');

// In a process of its own: what hangs is a loop inside Node, which no time limit of a test ends.
test('a folder that cannot be made below /proc is refused at once', async () => {
  const script = `import { makeFolder } from ${JSON.stringify(makeFolder)}; makeFolder('/proc/anneal/runs');`;
  const { child, ended } = startNode(['--input-type=module', '-e', script], temporaryFolder());
  const limit = setTimeout(() => child.kill('SIGKILL'), 60_000);
  const { code, stderr } = await ended;
  clearTimeout(limit);
  expect(code).toBe(1);
  expect(stderr).toContain('this folder cannot be made (E');
});
