import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

// A function with one name in two objects is kept once, and the linker may keep the AVX-512 one: it would end the process on a
// processor without. So units compiled for an instruction set may share nothing but what lies in that set's namespace. Two ops that
// have different things of one name would likewise run that of one of them.

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

/** Lines of nm: those of which the linker keeps one. */
function weakSymbols(files: readonly string[]): string[] {
  const options = ['--demangle', '--defined-only', '--print-file-name', ...files];
  const symbols = execFileSync('nm', options, { encoding: 'utf8', maxBuffer: 2 ** 28 }).split('\n');
  return symbols.filter((line) => /:\w+ [WVuw] /.test(line));
}

test('kernels of one instruction set share no weak symbol with another', (context) => {
  const reason = whyNot();
  if (reason) {
    console.warn(`skipped: ${reason}`);
    context.skip(reason);
  }
  const weak = weakSymbols(objects);
  const offenders = weak.filter((line) => !line.includes(`anneal::${/kernels_(\w+)\.dir/.exec(line)?.[1]}::`));
  expect(weak.length).toBeGreaterThan(0);
  expect(offenders).toEqual([]);
});

test('what several ops share stands in a header of native/', (context) => {
  const reason = whyNot();
  if (reason) context.skip(reason);
  const native = fileURLToPath(new URL('../native', import.meta.url));
  const headers = globSync(join(native, '**/*.h')).map((path) => readFileSync(path, 'utf8'));
  const declared = headers.flatMap((text) => [...text.matchAll(/struct (\w+)|(\w+)\(/g)]);
  const shared = new Set(declared.map(([, type, called]) => type ?? called));
  const ofOps = objects.filter((path) => path.includes('.dir/ops/'));
  const offenders = weakSymbols(ofOps).filter((line) => !shared.has(/anneal::\w+::(\w+)/.exec(line)?.[1] ?? ''));
  expect(ofOps.length).toBeGreaterThan(0);
  expect(offenders, 'to be put into an anonymous namespace').toEqual([]);
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
