#!/usr/bin/env node
// Plain JavaScript for any Node from 20 on: starts the command line on a Node that runs TypeScript as it is.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { constants } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** The first release that strips types without a warning. */
const needed = [24, 12];

// For hints that can be typed as they stand. Outside the repository npx would fetch a package of another's.
process.env.ANNEAL_CALLED_AS ??= calledAs(process.argv[1] ?? '');

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > needed[0] || (major === needed[0] && minor >= needed[1])) {
  module.enableCompileCache();
  await import('../src/main.ts');
} else {
  runWithPinnedNode();
}

/** `anneal` when it was found on the PATH, `npx anneal` below npm, else Node and this file. */
function calledAs(path) {
  if (process.env.npm_lifecycle_event !== undefined) return 'npx anneal';
  if (basename(path) === 'anneal') return 'anneal';
  return `node ${/^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`}`;
}

function runWithPinnedNode() {
  const node = pinnedNode();
  if (!node) {
    console.error(
      `error: Anneal needs Node ${needed.join('.')} or newer, and this is ${process.version}\n` +
        `  at ${process.execPath}\n` +
        '  run `npm install` in the repository: it brings the right one along',
    );
    process.exitCode = 2;
    return;
  }
  const child = spawn(node, [import.meta.filename ?? process.argv[1], ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both processes, kill only to this one: pass all on; main takes two at once as one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (signal ? constants.signals[signal] : 0);
  });
}

/** The binary of the npm package `node`, which the repository pins. */
function pinnedNode() {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve('node/package.json'));
    const path = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}
