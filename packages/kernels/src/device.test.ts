import { expect, test } from 'vitest';
import { addon } from './addon.ts';
import { cpuDevice } from './device.ts';

test('only instruction sets that multiply bfloat16 faster than float32 say so', () => {
  const sets = addon().instructionSets();
  const multiplying = ['amx', 'avx512bf16', 'neonbf16'];
  for (const isa of sets.filter((set) => !multiplying.includes(set)))
    expect(cpuDevice({ isa }).multipliesBf16, isa).toBe(false);
  const [best] = sets;
  expect(cpuDevice({ isa: best }).multipliesBf16).toBe(multiplying.includes(best ?? ''));
  expect(new Set(sets).size).toBe(sets.length);
});
