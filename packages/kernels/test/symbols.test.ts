import { execFileSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

// A function with one name in two objects is kept once, and the linker may keep the AVX-512 one: it would end the process on a
// processor without. So units compiled for an instruction set may share nothing but what lies in that set's namespace.

const build = fileURLToPath(new URL('../build', import.meta.url));
// The host code of the CUDA backend is compiled for any x86-64 processor.
const objects = existsSync(build)
  ? globSync(join(build, 'CMakeFiles/kernels_*.dir/**/*.o')).filter((path) => !path.includes('kernels_cuda.dir'))
  : [];

function whyNot(): string | null {
  if (objects.length === 0) return `${build} holds no objects: run npm run build`;
  try {
    execFileSync('nm', ['--version']);
    return null;
  } catch {
    return 'nm (binutils) is not installed';
  }
}

test('kernels of one instruction set share no weak symbol with another', (context) => {
  const reason = whyNot();
  if (reason) {
    console.warn(`skipped: ${reason}`);
    context.skip(reason);
  }
  const options = ['--demangle', '--defined-only', '--print-file-name', ...objects];
  const symbols = execFileSync('nm', options, { encoding: 'utf8', maxBuffer: 2 ** 28 }).split('\n');
  const weak = symbols.filter((line) => /:\w+ [WVuw] /.test(line));
  const offenders = weak.filter((line) => !line.includes(`anneal::${/kernels_(\w+)\.dir/.exec(line)?.[1]}::`));
  expect(weak.length).toBeGreaterThan(0);
  expect(offenders).toEqual([]);
});

test('the addon takes only the C library from the host', (context) => {
  const reason = whyNot();
  if (reason) context.skip(reason);
  const undefinedSymbols = execFileSync('nm', ['-D', '--undefined-only', join(build, 'Release/anneal.node')], {
    encoding: 'utf8',
  });
  const cxx = undefinedSymbols.split('\n').filter((line) => /GLIBCXX|CXXABI|_ZSt|_ZNSt/.test(line));
  expect(cxx).toEqual([]);
});
