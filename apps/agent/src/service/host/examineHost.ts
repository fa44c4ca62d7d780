/** What this machine has of what training needs, with advice where something is short or missing. */
import { constants } from 'node:fs';
import { access, rm, statfs, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { leastDisk } from '@anneal/core/freeDisk';
import { defaultCacheDirectory } from '@anneal/core/hub/cache';
import type { Finding } from '@anneal/core/protocol/host';
import { UserError } from '@anneal/formats/errors';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { makeTemporaryFolder } from '@anneal/formats/files/temporaryFolder';
import { formatBytes } from '../../units.ts';
import type { Context } from '../context.ts';
import { gpuFindings } from './gpu.ts';
import { hostMemory } from './memory.ts';
import { nvidiaHost } from './nvidiaHost.ts';

/** Yields each finding as it is made, and returns all of them. @param request.folder where runs are to lie */
export async function* examineHost(_: Context, { folder }: { folder: string }): AsyncGenerator<Finding, Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of lookAtAll(folder)) {
    findings.push(finding);
    yield finding;
  }
  return findings;
}

async function* lookAtAll(folder: string): AsyncGenerator<Finding> {
  const cache = defaultCacheDirectory();
  yield node();
  yield processor();
  yield await memory();
  yield await disk('disk here', resolve(folder));
  yield await disk('disk for models', cache);
  yield await writable('model cache', cache);
  yield await writable('temporary files', tmpdir());
  const addon = await engine();
  yield addon;
  if (addon.state !== 'fail') yield* await gpus();
  yield await loads('tokenizer', () => import('@anneal/core/tokenizers/tokenizer'));
  yield await loads('data reader', readTable);
}

function node(): Finding {
  return { name: 'Node', state: 'ok', found: `${process.version}, ${process.platform} ${process.arch}` };
}

function processor(): Finding {
  const [first] = cpus();
  // Linux names no model on ARM.
  const model = first && first.model !== 'unknown' ? first.model.trim() : process.arch;
  return { name: 'processor', state: 'ok', found: `${model}, ${availableParallelism()} threads` };
}

/** The native addon, and what it makes of this processor. */
async function engine(): Promise<Finding> {
  try {
    const { chooseCpu } = await import('@anneal/core/device');
    const { isa, threads } = chooseCpu();
    const found = `${isa}, ${threads} threads`;
    if (isa !== 'plain') return { name: 'engine', state: 'ok', found };
    const advice =
      process.arch === 'x64'
        ? 'this processor has no AVX2, so training is slow; any x86-64 processor since about 2015 has it'
        : `the kernels are not tuned for ${process.arch}, so training takes longer than it could`;
    return { name: 'engine', state: 'warn', found, advice };
  } catch (error) {
    return {
      name: 'engine',
      state: 'fail',
      found: (error as Error).message.split('\n', 1)[0] ?? '',
      advice:
        (error instanceof UserError && error.next) ||
        'run `npm run build` in the repository; it needs a C++17 compiler and CMake',
    };
  }
}

async function gpus(): Promise<Finding[]> {
  const { cudaReport } = await import('@anneal/core/device');
  return gpuFindings(cudaReport(), nvidiaHost());
}

async function memory(): Promise<Finding> {
  const { available, total, isLimited } = await hostMemory();
  const found = `${formatBytes(available)} free of ${formatBytes(total)}${isLimited ? ' (limit of this container)' : ''}`;
  if (available >= 2e9) return { name: 'memory', state: 'ok', found };
  return {
    name: 'memory',
    state: available >= 1e9 ? 'warn' : 'fail',
    found,
    advice: 'training SmolLM2-135M takes about 1.5 GB: close other programs, or take a smaller model or sequence_len',
  };
}

async function disk(name: string, path: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(await nearestExisting(path));
  const free = bavail * bsize;
  const found = `${formatBytes(free)} free at ${path}`;
  if (free >= 5e9) return { name, state: 'ok', found };
  return {
    name,
    state: free >= leastDisk ? 'warn' : 'fail',
    found,
    advice:
      'models and checkpoints take gigabytes: free some space, or set ANNEAL_CACHE and output_dir to another disk',
  };
}

async function writable(name: string, path: string): Promise<Finding> {
  try {
    makeFolder(path);
    const probe = join(path, `.anneal-doctor-${process.pid}`);
    await writeFile(probe, '');
    await rm(probe);
    return { name, state: 'ok', found: path };
  } catch (error) {
    return {
      name,
      state: 'fail',
      found: `${path} cannot be written: ${(error as Error).message.split('\n', 1)[0]}`,
      advice: 'make it writable, or set ANNEAL_CACHE (models) or TMPDIR (temporary files) to a folder that is',
    };
  }
}

async function loads(name: string, load: () => Promise<unknown>): Promise<Finding> {
  try {
    await load();
    return { name, state: 'ok', found: 'loads' };
  } catch (error) {
    return {
      name,
      state: 'fail',
      found: `does not load: ${(error as Error).message.split('\n', 1)[0]}`,
      advice: 'run `npm install` in the repository; it brings the binary for this platform',
    };
  }
}

/** CSV and Parquet go through DuckDB, whose binary is loaded when the first table is opened. */
async function readTable(): Promise<void> {
  const { openSource } = await import('@anneal/core/datasets/read');
  const folder = makeTemporaryFolder('doctor');
  try {
    await writeFile(join(folder, 'table.csv'), 'text\nhello\n');
    await (await openSource(join(folder, 'table.csv'))).close();
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function nearestExisting(path: string): Promise<string> {
  try {
    await access(path, constants.F_OK);
    return path;
  } catch {
    return nearestExisting(dirname(path));
  }
}
