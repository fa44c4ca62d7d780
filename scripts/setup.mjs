// Everything between a fresh clone and the first command, in plain JavaScript for any Node from 20 on:
//   node scripts/setup.mjs                      installs and builds what is missing or out of date
//   node scripts/setup.mjs scripts/test.ts …    the same, then runs that program on the pinned Node
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { lockHash, root, stampPath } from './installStamp.mjs';

const pinnedNode = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const environment = {
  ...process.env,
  PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`,
  TURBO_TELEMETRY_DISABLED: '1',
};

const [major = 0] = process.versions.node.split('.').map(Number);
if (major < 20)
  fail(
    `Anneal needs Node 20 or newer to set itself up, and this is ${process.version}`,
    'install Node 20 or newer: https://nodejs.org',
  );

const parts = [];
if (!isInstalled()) timed('install', 'installing what package-lock.json names', install);
timed('build', 'building the native addon and the studio', build);

const [program, ...args] = process.argv.slice(2);
if (program !== undefined) {
  const { status, signal } = spawnSync(pinnedNode, [join(root, program), ...args], {
    stdio: 'inherit',
    env: { ...environment, ANNEAL_SETUP: JSON.stringify(parts) },
  });
  process.exitCode = signal ? 130 : (status ?? 1);
}

/** The lock file is the one that npm installed last, and the scripts of the packages ran. */
function isInstalled() {
  return existsSync(pinnedNode) && existsSync(stampPath) && readFileSync(stampPath, 'utf8') === lockHash();
}

function install() {
  run(
    'npm',
    ['ci', '--no-audit', '--no-fund', '--loglevel=error'],
    'see what npm says above; behind a proxy, set its registry and proxy',
  );
  if (existsSync(pinnedNode)) return;
  fail('npm did not run the scripts that bring Node 24 along', 'allow them: npm ci --ignore-scripts=false');
}

function build() {
  requireTool('CMake', ['cmake']);
  requireTool('a C++17 compiler', process.env.CXX ? [process.env.CXX] : ['c++', 'g++', 'clang++']);
  requireTool('Make or Ninja', ['make', 'ninja']);
  run(
    'npm',
    ['run', 'build', '--silent'],
    'the compiler says above what it did not like; GCC 10 and Clang 11 are new enough',
  );
}

function requireTool(what, commands) {
  if (commands.some((command) => spawnSync(command, ['--version'], { env: environment }).status === 0)) return;
  fail(
    `the native addon is built with ${what}, which is not installed (looked for ${commands.join(', ')})`,
    'Debian, Ubuntu: apt-get install cmake g++ make. Fedora: dnf install cmake gcc-c++ make. macOS: xcode-select --install && brew install cmake',
  );
}

/** What it prints is shown only where it fails. */
function run(command, commandArgs, next) {
  const shell = process.platform === 'win32';
  const result = spawnSync(command, commandArgs, {
    cwd: root,
    env: environment,
    shell,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (result.status === 0) return;
  console.error(`${result.stdout ?? ''}${result.stderr ?? ''}`);
  fail(`${command} ${commandArgs.join(' ')} failed${result.error ? `: ${result.error.message}` : ''}`, next);
}

function timed(name, doing, work) {
  console.error(`${doing} …`);
  const start = performance.now();
  work();
  const seconds = (performance.now() - start) / 1000;
  parts.push({ name, seconds });
  console.error(`${doing}: ${seconds.toFixed(1)} s`);
}

function fail(what, next) {
  console.error(`\nerror: ${what}\n  next: ${next}`);
  process.exit(1);
}
