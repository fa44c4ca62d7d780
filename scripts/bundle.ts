/**
 * `npm run bundle`: dist/anneal-<version>-linux-x64.tar.xz, for a host with neither Node nor npm nor a compiler.
 *
 *   anneal                   what one calls
 *   bin/node                 the pinned Node
 *   agent/lib/               the agent as JavaScript, flat
 *   agent/build/Release/     our addon, where the sources look for it
 *   agent/node_modules/      the packages that bring binaries
 *   agent/studio/            the studio, as it is built
 *   starter/                 what `anneal init` copies
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cudaReport } from '@anneal/core/device';
import { findNvcc } from '../packages/kernels/scripts/findNvcc.mjs';
import { neededGlibc } from './bundle/glibc.ts';
import { bundleJavaScript } from './bundle/javascript.ts';
import { lockedPackages } from './bundle/lockedPackages.ts';
import { thirdPartyNotices } from './bundle/notices.ts';

/** Every kind of data-center GPU since Ampere, and virtual code that the driver compiles for those to come. */
const cudaTargets = '80-real;80-virtual;90a-real;100-real;120-real';

/** What fits a slow line, and what a release may weigh. */
const limitBytes = 55e6;

const root = join(import.meta.dirname, '..');
const modules = join(root, 'node_modules');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const platform = `${process.platform}-${process.arch}`;
if (platform !== 'linux-x64') throw new Error(`the bundle is made on linux-x64, and this is ${platform}`);

const name = `anneal-${version}-${platform}`;
const dist = join(root, 'dist');
const folder = join(dist, name);
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const addon = buildAddon();
process.env.ANNEAL_ADDON = addon;
const cuda = cudaReport().library;
const gpus = cuda
  ? `It runs on NVIDIA GPUs (${cuda.targets}) with driver 580 or newer and cuBLASLt 13, and on hosts without a GPU.`
  : 'It was made where there was no CUDA compiler: it trains on the CPU alone.';

const packages = await bundleJavaScript(root, join(folder, 'agent', 'lib'));
const binaries = [
  copyBinary(join(modules, 'node', 'bin', 'node'), 'bin/node'),
  copyBinary(addon, 'agent/build/Release/anneal.node'),
  ...copyPackage('tokenizers', ['index.js'], ['tokenizers.linux-x64-gnu.node']),
  ...copyPackage('@duckdb/node-api', ['lib'], []),
  ...copyPackage('@duckdb/node-bindings', ['duckdb.js'], []),
  ...copyPackage('@duckdb/node-bindings-linux-x64', [], ['duckdb.node', 'libduckdb.so']),
];
for (const part of ['model', 'data', 'recipe.yaml'])
  copy(join(root, 'apps', 'agent', 'starter', part), `starter/${part}`);
copy(join(root, 'apps', 'web', 'out'), 'agent/studio');
copy(join(root, 'LICENSE'), 'LICENSE');
copy(join(root, 'scripts', 'bundle', 'anneal.sh'), 'anneal');
chmodSync(join(folder, 'anneal'), 0o755);
const shipped = [...new Set([...packages, ...lockedPackages(root, ['apps/web']), ...packagesWithBinaries()])];
const notices = thirdPartyNotices(shipped, { cuda: cuda !== null });
for (const place of ['THIRD_PARTY_NOTICES', 'agent/studio/licenses.txt']) writeFileSync(join(folder, place), notices);
const glibc = neededGlibc(binaries);
writeFileSync(
  join(folder, 'README'),
  `Anneal ${version} for Linux on x86-64 with glibc ${glibc} or newer. ${gpus}\nNothing is to be installed:\n\n  ./anneal doctor\n  ./anneal init my-first && ./anneal train my-first/recipe.yaml\n  ./anneal serve\n  ./anneal --help\n`,
);

const archive = join(dist, `${name}.tar.xz`);
// The same tree gives the same archive: no times, no owners, one order.
const reproducible = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
// The filter for x86 code takes 2 MB off.
execFileSync('tar', [...reproducible, '-C', dist, '-cJf', archive, name], {
  env: { XZ_OPT: '-T0 --x86 --lzma2=preset=8', ...process.env },
  stdio: 'inherit',
});
const { size } = statSync(archive);
console.log(`${archive}: ${(size / 1e6).toFixed(1)} MB, needs glibc ${glibc}. ${gpus}`);
if (size > limitBytes) throw new Error(`the archive is larger than ${limitBytes / 1e6} MB`);

/** With code for every target, beside the build that work goes on with; where there is no CUDA compiler, that build. */
function buildAddon(): string {
  const kernels = join(root, 'packages', 'kernels');
  if (!findNvcc()) return join(kernels, 'build', 'Release', 'anneal.node');
  const build = join(dist, 'build');
  execFileSync(process.execPath, [join(kernels, 'scripts', 'build.mjs'), build], {
    env: { ANNEAL_CUDA_ARCHITECTURES: cudaTargets, ...process.env },
    stdio: 'inherit',
  });
  return join(build, 'Release', 'anneal.node');
}

/** The packages that are not inside of the JavaScript, and the addon's headers. */
function packagesWithBinaries(): string[] {
  const names = [
    'node',
    'tokenizers',
    '@duckdb/node-api',
    '@duckdb/node-bindings',
    '@duckdb/node-bindings-linux-x64',
    'node-addon-api',
  ];
  return names.map((packageName) => join(modules, packageName));
}

/** Copies a package's scripts as they are, its binaries stripped, and what makes it a package. */
function copyPackage(packageName: string, scripts: readonly string[], stripped: readonly string[]): string[] {
  const target = `agent/node_modules/${packageName}`;
  for (const file of ['package.json', ...scripts]) copy(join(modules, packageName, file), `${target}/${file}`);
  return stripped.map((file) => copyBinary(join(modules, packageName, file), `${target}/${file}`));
}

/** Without symbols that only debuggers read: a tenth of Node's bytes. */
function copyBinary(from: string, to: string): string {
  copy(from, to);
  execFileSync('strip', ['--strip-unneeded', join(folder, to)]);
  return join(folder, to);
}

function copy(from: string, to: string): void {
  cpSync(from, join(folder, to), {
    recursive: true,
    dereference: true,
    filter: (path) => !/\.(d\.ts|map)$/.test(path),
  });
}
