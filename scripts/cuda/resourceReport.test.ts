import { expect, test } from 'vitest';
import { readResourceReport } from './resourceReport.ts';

const kernel = (name: string, target: string, spills: string) => `
ptxas info    : Compiling entry function '${name}' for '${target}'
ptxas info    : Function properties for ${name}
    0 bytes stack frame, ${spills}
ptxas info    : Used 168 registers, used 1 barriers`;
const none = '0 bytes spill stores, 0 bytes spill loads';

test('kernels that keep to their registers', () => {
  expect(
    readResourceReport(`ptxas info    : 0 bytes gmem${kernel('_Z1a', 'sm_80', none)}${kernel('_Z1a', 'sm_90a', none)}`),
  ).toEqual({
    kernels: 2,
    problems: [],
  });
});

test('a spill is named with its kernel and target, wherever it stands', () => {
  const spills = '1572 bytes spill stores, 1608 bytes spill loads';
  const output = kernel('_Z1a', 'sm_80', none) + kernel('_Z1b', 'sm_90a', spills) + kernel('_Z1c', 'sm_100', none);
  expect(readResourceReport(output).problems).toEqual(['sm_90a _Z1b: spills 1572 bytes, reads 1608 back']);
  const loads = '0 bytes spill stores, 4 bytes spill loads';
  expect(readResourceReport(kernel('_Z1b', 'sm_80', loads)).problems).toHaveLength(1);
});

test('a spill of a function that an entry calls', () => {
  const called = `
ptxas info    : Function properties for _Z6called
    8 bytes stack frame, 8 bytes spill stores, 8 bytes spill loads`;
  expect(readResourceReport(kernel('_Z1a', 'sm_80', none) + called).problems).toEqual([
    'sm_80 _Z6called: spills 8 bytes, reads 8 back',
  ]);
});

test.each([
  "(C7508) Potential Performance Loss: 'setmaxnreg' ignored; unable to determine register count at entry.",
  "Potential Performance Loss: wgmma.mma_async instructions are serialized due to ill formed pipeline stage in the function '_Z1a'",
])('%s', (warning) => {
  expect(readResourceReport(`ptxas info    : ${warning}`).problems).toEqual([warning]);
});
