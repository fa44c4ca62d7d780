import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../testing/temporaryFolder.ts';
import { fetchToolkit, type Pins, type ToolkitOptions } from './fetchToolkit.ts';
import { packageIndex } from './packageIndex.ts';
import { type IndexStandIn, makeZip, sha256, startIndex } from './testing.ts';

const compiler = makeZip({
  'nvidia/cu13/bin/nvcc': 'a compiler '.repeat(20_000) + Math.random(),
  'nvidia/cu13/include/crt/host_config.h': '#pragma once',
  'nvidia_compiler-13.0.dist-info/METADATA': 'no part of the toolkit',
});
const libraries = makeZip({
  'nvidia/cu13/lib/libcublasLt.so.13': 'x'.repeat(500_000),
  'nvidia/cu13/include/cublasLt.h': '// products',
});
const wheels = new Map([
  ['nvidia_compiler-13.0.whl', compiler],
  ['nvidia_libraries-13.0.whl', libraries],
]);

let root: string;
let folder: string;
let index: IndexStandIn;

beforeEach(async () => {
  root = temporaryFolder('toolkit');
  folder = join(root, 'cuda-toolkit');
  index = await startIndex(wheels, 'json');
});
afterEach(async () => {
  await index.close();
});

function pins(compilerSha256 = sha256(compiler), headerSha256 = sha256('// products')): Pins {
  const file = 'nvidia_compiler-13.0.whl';
  return {
    wheels: [{ package: 'nvidia-compiler', file, bytes: compiler.length, sha256: compilerSha256 }],
    partialWheel: {
      package: 'nvidia-libraries',
      file: 'nvidia_libraries-13.0.whl',
      bytes: libraries.length,
      members: new Map([['nvidia/cu13/include/cublasLt.h', headerSha256]]),
    },
  };
}

const fetchIt = (options: Partial<ToolkitOptions> = {}) =>
  fetchToolkit(folder, { index: index.url, pins: pins(), ...options });

test('the wheels become one toolkit, and a second call asks for nothing', async () => {
  expect(await fetchIt()).toBe(true);
  expect(statSync(join(folder, 'bin', 'nvcc')).mode & 0o111).not.toBe(0);
  expect(readFileSync(join(folder, 'include', 'crt', 'host_config.h'), 'utf8')).toBe('#pragma once');
  expect(readFileSync(join(folder, 'include', 'cublasLt.h'), 'utf8')).toBe('// products');
  expect(existsSync(join(folder, 'lib'))).toBe(false);
  expect(existsSync(`${folder}.downloads`)).toBe(false);
  const asked = index.requests.length;
  expect(await fetchIt()).toBe(false);
  expect(index.requests).toHaveLength(asked);
});

test('of the libraries only parts are asked for', async () => {
  await fetchIt();
  const ranges = index.requests.filter(({ url }) => url.includes('libraries-13.0.whl')).map(({ range }) => range);
  expect(ranges.length).toBeGreaterThan(1);
  expect(ranges).not.toContain(undefined);
});

test('an index that answers in HTML', async () => {
  const old = await startIndex(wheels, 'html');
  expect(await fetchIt({ index: old.url })).toBe(true);
  await old.close();
});

test('other pins replace what is there', async () => {
  await fetchIt();
  writeFileSync(join(folder, 'pins.json'), '[]');
  expect(await fetchIt()).toBe(true);
});

test('a broken transfer goes on where it ended', async () => {
  index.breakAfter.set('nvidia_compiler-13.0.whl', 300);
  expect(await fetchIt()).toBe(true);
  expect(index.requests.filter(({ range }) => range === 'bytes=300-')).toHaveLength(1);
});

test('a wheel with another checksum leaves no toolkit', async () => {
  await expect(fetchIt({ pins: pins('0'.repeat(64)) })).rejects.toThrow(/could not be fetched.*is damaged/s);
  expect(existsSync(folder)).toBe(false);
  expect(await fetchIt()).toBe(true);
});

test('a header with another checksum leaves no toolkit', async () => {
  await expect(fetchIt({ pins: pins(undefined, '0'.repeat(64)) })).rejects.toThrow(/cublasLt\.h .*is damaged/s);
  expect(existsSync(folder)).toBe(false);
});

test('an index that has no such file, and one that is not there', async () => {
  const elsewhere = { ...pins(), wheels: [{ package: 'other', file: 'o.whl', bytes: 1, sha256: '' }] };
  await expect(fetchIt({ pins: elsewhere })).rejects.toThrow('HTTP 404');
  await expect(fetchIt({ index: 'http://127.0.0.1:9/simple' })).rejects.toThrow(/could not be fetched.*PIP_INDEX_URL/s);
  await expect(fetchIt({ index: 'nowhere' })).rejects.toThrow('is not a web address');
});

test('the password of an index goes to it alone, and into no message', async () => {
  await fetchIt({ index: index.url.replace('//', '//me:secret@') });
  const expected = `Basic ${Buffer.from('me:secret').toString('base64')}`;
  expect(new Set(index.requests.map(({ authorization }) => authorization))).toEqual(new Set([expected]));
  await expect(
    fetchToolkit(join(root, 'two'), { index: 'http://me:secret@127.0.0.1:9', pins: pins() }),
  ).rejects.toThrow(/^((?!secret).)*$/s);
});

test("the index is pip's", () => {
  const configuration = join(root, 'pip.conf');
  writeFileSync(configuration, '[global]\nindex-url = https://mirror.example/simple/\n');
  expect(packageIndex({ PIP_CONFIG_FILE: configuration }, root)).toBe('https://mirror.example/simple');
  expect(packageIndex({ PIP_CONFIG_FILE: configuration, PIP_INDEX_URL: 'https://a.example' }, root)).toBe(
    'https://a.example',
  );
});
