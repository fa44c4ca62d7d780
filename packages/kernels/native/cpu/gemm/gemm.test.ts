import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../../../../scripts/testing/temporaryFolder.ts';
import { addon } from '../../../src/addon.ts';

// Few processors have AMX. Its kernel is checked on every one with AVX-512-BF16, with the tile instructions emulated.

function whyNot(): string | null {
  if (!addon().instructionSets().includes('avx512bf16')) return 'this processor does not run avx512bf16';
  return spawnSync('g++', ['--version']).status === 0 ? null : 'g++ is not installed';
}

test('matrix products by tiles agree with float64, with the same bits for one and three threads', (context) => {
  const reason = whyNot();
  if (reason) {
    console.warn(`skipped: ${reason}`);
    context.skip(reason);
  }
  const folder = temporaryFolder('tiles');
  const check = join(folder, 'check');
  const sets = ['-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mavx512bf16', '-mfma', '-mf16c', '-mbmi2'];
  const defines = ['-DANNEAL_ISA=amx', '-DANNEAL_AMX', '-DANNEAL_EMULATED_AMX'];
  const sources = ['bench/gemm_check.cpp', 'gemm.cpu.cpp', '../../thread_pool.cpp'].map((file) =>
    join(import.meta.dirname, file),
  );
  execFileSync('g++', ['-std=c++17', '-O2', '-w', ...sets, ...defines, ...sources, '-pthread', '-o', check]);
  expect(execFileSync(check, { encoding: 'utf8' })).toMatch(/^\d+ products agree with float64/);
});
