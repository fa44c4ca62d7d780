import { expect, test } from 'vitest';
import { parseHolders } from './gpuHolders.ts';

test('what nvidia-smi prints of processes, largest first', () => {
  const lines = '4711, 1024, /usr/bin/python3\n42, 20480, node, with a comma\n7, [N/A], hidden\n\n';
  expect(parseHolders(lines)).toEqual([
    { pid: 42, name: 'node, with a comma', bytes: 20480 * 2 ** 20 },
    { pid: 4711, name: '/usr/bin/python3', bytes: 1024 * 2 ** 20 },
  ]);
});
