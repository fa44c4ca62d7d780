/** What a look at the machine checks has a name in each language. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { host } from './en/host.ts';

const folder = new URL('../../../agent/src/service/host/', import.meta.url);
const text = ['examineHost.ts', 'gpu.ts'].map((file) => readFileSync(new URL(file, folder), 'utf8')).join('\n');
const names = [...text.matchAll(/\b(?:finding\(|disk\(|writable\(|loads\()'([^']+)'/g)].map(([, name]) => name);
const theSameEverywhere = ['Node', 'CUDA', 'GPU', 'cuBLASLt'];

test('every check has a name, and no other', () => {
  const named = [...Object.keys(host.host.check), ...theSameEverywhere];
  expect([...new Set(names)].sort()).toEqual(named.sort());
});
