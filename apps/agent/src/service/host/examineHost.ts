/** What this machine has of what training needs, with advice where something is short or missing. */
import { constants } from 'node:fs';
import { access, rm, statfs, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { leastDisk } from '@anneal/core/freeDisk';
import { hostMemory } from '@anneal/core/hostMemory';
import { defaultCacheDirectory } from '@anneal/core/hub/cache';
import { type Finding, finding, say } from '@anneal/core/protocol/checks';
import { UserError } from '@anneal/formats/errors';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { makeTemporaryFolder } from '@anneal/formats/files/temporaryFolder';
import { formatBytes } from '../../units.ts';
import type { Context } from '../context.ts';
import { gpuFindings } from './gpu.ts';
import { nvidiaHost } from './nvidiaHost.ts';

/** Yields each finding as it is made, and returns all of them. @param request.folder where runs are to lie */
export async function* examineHost(_: Context, { folder }: { folder: string }): AsyncGenerator<Finding, Finding[]> {
  const findings: Finding[] = [];
  for await (const found of lookAtAll(folder)) {
    findings.push(found);
    yield found;
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
  const system = `${process.platform} ${process.arch}`;
  return finding('Node', 'ok', say('node', { version: process.version, system }));
}

function processor(): Finding {
  const [first] = cpus();
  // Linux names no model on ARM.
  const model = first && first.model !== 'unknown' ? first.model.trim() : process.arch;
  return finding('processor', 'ok', say('processor', { model, threads: availableParallelism() }));
}

/** The native addon, and what it makes of this processor. */
async function engine(): Promise<Finding> {
  try {
    const { chooseCpu } = await import('@anneal/core/device');
    const { isa, threads } = chooseCpu();
    const found = say('engine', { isa, threads });
    if (isa !== 'plain') return finding('engine', 'ok', found);
    const { arch: architecture } = process;
    const advice = architecture === 'x64' ? say('slow_processor') : say('other_processor', { architecture });
    return finding('engine', 'warn', found, advice);
  } catch (error) {
    const next = error instanceof UserError ? error.next : undefined;
    const advice = next ? say('words', { text: next }) : say('build');
    return finding('engine', 'fail', say('words', { text: firstLine(error) }), advice);
  }
}

async function gpus(): Promise<Finding[]> {
  const { cudaReport } = await import('@anneal/core/device');
  return gpuFindings(cudaReport(), nvidiaHost());
}

async function memory(): Promise<Finding> {
  const { available, total, isLimited } = hostMemory();
  const sizes = { free: formatBytes(available), total: formatBytes(total) };
  const found = say(isLimited ? 'memory_of_container' : 'memory', sizes);
  if (available >= 2e9) return finding('memory', 'ok', found);
  return finding('memory', available >= 1e9 ? 'warn' : 'fail', found, say('more_memory'));
}

async function disk(name: string, path: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(await nearestExisting(path));
  const free = bavail * bsize;
  const found = say('disk', { free: formatBytes(free), path });
  if (free >= 5e9) return finding(name, 'ok', found);
  return finding(name, free >= leastDisk ? 'warn' : 'fail', found, say('more_disk'));
}

async function writable(name: string, path: string): Promise<Finding> {
  try {
    makeFolder(path);
    const probe = join(path, `.anneal-doctor-${process.pid}`);
    await writeFile(probe, '');
    await rm(probe);
    return finding(name, 'ok', say('writable', { path }));
  } catch (error) {
    return finding(name, 'fail', say('not_writable', { path, error: firstLine(error) }), say('other_folder'));
  }
}

async function loads(name: string, load: () => Promise<unknown>): Promise<Finding> {
  try {
    await load();
    return finding(name, 'ok', say('loads'));
  } catch (error) {
    return finding(name, 'fail', say('does_not_load', { error: firstLine(error) }), say('install'));
  }
}

const firstLine = (error: unknown): string => (error as Error).message.split('\n', 1)[0] ?? '';

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
