import { expect, test } from 'vitest';
import { addon } from './addon.ts';
import { cpuDevice } from './device.ts';

test('only instruction sets that multiply bfloat16 faster than float32 say so', () => {
  const sets = addon().instructionSets();
  for (const isa of sets.filter((set) => set !== 'amx' && set !== 'avx512bf16'))
    expect(cpuDevice({ isa }).multipliesBf16, isa).toBe(false);
  const [best] = sets;
  expect(cpuDevice({ isa: best }).multipliesBf16).toBe(best === 'amx' || best === 'avx512bf16');
  expect(new Set(sets).size).toBe(sets.length);
});
