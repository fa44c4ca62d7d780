/**
 * A part of `npm test`: compiles every CUDA source, no GPU needed, and fails where a kernel spills registers or the compiler
 * ignores a hint that its speed rests on. Without a compiler it ends with code 77, and the last line says why.
 */
import { spawn } from 'node:child_process';
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { UserError } from '@anneal/formats/errors';
import { findNvcc, toolkitFolder } from '../../packages/kernels/scripts/findNvcc.mjs';
import { fetchToolkit } from '../toolkit/fetchToolkit.ts';
import { readResourceReport } from './resourceReport.ts';

/** As automake's tests end that were skipped. */
const skippedExitCode = 77;

/** sm_120 is not held to it: two of the fallback's backward kernels spill 4 to 8 bytes there. */
const targets = ['80', '90a', '100'];

const kernels = join(import.meta.dirname, '..', '..', 'packages', 'kernels');
const nvcc = await compiler();
const toolkit = dirname(dirname(nvcc));
const sources = globSync(['native/cuda/**/*.{cpp,cu}', 'ops/*/*.cuda.cu'], { cwd: kernels }).sort();
const folder = mkdtempSync(join(tmpdir(), 'anneal-cuda-'));
const queue = sources.entries();
let compiled = 0;
let failed = 0;
await Promise.all(Array.from({ length: availableParallelism() }, takeTurns));
rmSync(folder, { recursive: true });
console.log(
  `${sources.length} CUDA sources, ${compiled} kernels (sm_${targets.join(', sm_')}), ${failed} with problems`,
);
process.exitCode = failed > 0 || compiled === 0 ? 1 : 0;

async function takeTurns(): Promise<void> {
  for (const [i, source] of queue) {
    const { ok, output } = await compile(source, join(folder, `${i}.o`));
    const { kernels: count, problems } = readResourceReport(output);
    compiled += count;
    if (ok && problems.length === 0) continue;
    failed++;
    console.error([`packages/kernels/${source}`, ...(ok ? problems : [output.trim()])].join('\n  '));
  }
}

function compile(source: string, object: string): Promise<{ ok: boolean; output: string }> {
  const includes = ['include', 'targets/x86_64-linux/include'].flatMap((path) => ['-isystem', join(toolkit, path)]);
  const code = targets.flatMap((target) => ['-gencode', `arch=compute_${target},code=sm_${target}`]);
  const flags = ['-std=c++17', '-O3', '-Xcompiler=-Wall,-fPIC', '-Xptxas=-v', '-DANNEAL_CUDA_TARGETS="90a-real"'];
  const args = [...flags, ...code, '-Inative', ...includes, '-c', source, '-o', object];
  const { promise, resolve } = Promise.withResolvers<{ ok: boolean; output: string }>();
  const child = spawn(nvcc, args, { cwd: kernels, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  child.on('error', ({ message }) => resolve({ ok: false, output: message }));
  child.on('close', (status) => resolve({ ok: status === 0, output }));
  return promise;
}

/** The compiler that builds take; under CI one is fetched where there is none. */
async function compiler(): Promise<string> {
  const found = findNvcc({ ...process.env, ANNEAL_CUDA: 'on' });
  if (found) return found;
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return skip('there is no nvcc, and none to fetch for this platform');
  if (process.env.CI !== 'true')
    return skip('there is no nvcc: `npm run cuda-toolkit` fetches one (CI=true does it by itself)');
  try {
    await fetchToolkit(toolkitFolder);
    return join(toolkitFolder, 'bin', 'nvcc');
  } catch (error) {
    if (error instanceof UserError) return skip(error.what);
    throw error;
  }
}

function skip(reason: string): never {
  console.log(reason);
  process.exit(skippedExitCode);
}
