/**
 * `npm test`: what CI checks, part by part. Goes on after a failure, ends with a table of what each part took and, alone
 * on the last line, `N passed, N failed, N skipped`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readArguments } from '../bench/arguments.ts';

interface Part {
  readonly name: string;
  readonly seconds: number;
  readonly outcome: string;
}

const { names: filters } = readArguments({
  command: 'npm test --',
  about: 'Checks everything, or of the tests only the files whose paths contain a FILTER.',
  others: 'FILTER',
});
const root = join(import.meta.dirname, '..');
const modules = join(root, 'node_modules');
const counts = { passed: 0, failed: 0, skipped: 0 };
const parts: Part[] = setUpParts();

check('format', join(modules, '.bin', 'biome'), ['ci', '.']);
check('lint', join(modules, '.bin', 'oxlint'), []);
check('imports', process.execPath, ['scripts/checkImports.ts']);
check('types', join(modules, '.bin', 'tsc'), ['--noEmit', '-p', 'tsconfig.json']);
check('types of the studio', join(modules, '.bin', 'tsc'), ['--noEmit', '-p', 'apps/web/tsconfig.json']);
check('cuda', process.execPath, ['--use-env-proxy', '--use-system-ca', 'scripts/cuda/checkCuda.ts']);
runTests('tests', filters);
if (filters.length === 0) runTests('studio in a browser', ['--config', 'e2e/vitest.config.ts']);

const width = Math.max(...parts.map(({ name }) => name.length));
console.log('\nWhat it took');
for (const { name, seconds, outcome } of parts) {
  console.log(`  ${name.padEnd(width)}  ${seconds.toFixed(1).padStart(7)} s  ${outcome}`);
}
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed > 0 ? 1 : 0;

/** What setup.mjs did before us. */
function setUpParts(): Part[] {
  const done = JSON.parse(process.env.ANNEAL_SETUP ?? '[]') as { name: string; seconds: number }[];
  return done.map((part) => ({ ...part, outcome: 'done' }));
}

/** A command that passes or fails as a whole, or says why it is skipped and ends with code 77. */
function check(name: string, command: string, args: readonly string[]): void {
  const { status, seconds } = run(name, command, args);
  const outcome = status === 0 ? 'passed' : status === 77 ? 'skipped' : 'failed';
  counts[outcome]++;
  parts.push({ name, seconds, outcome: outcome === 'failed' ? 'FAILED' : outcome });
}

/** @param options names of files and other options, as vitest takes them; without names all are run. */
function runTests(name: string, options: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'anneal-test-'));
  const report = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const vitest = join(modules, 'vitest', 'vitest.mjs');
  // Tests make their temporary folders in this one, so that none is left behind.
  const environment = { TMPDIR: folder };
  const { status, seconds } = run(name, process.execPath, [vitest, 'run', ...reporters, ...options], environment);
  const ok = status === 0;
  const { passed, failed, skipped } = readReport(report);
  rmSync(folder, { recursive: true, force: true });
  counts.passed += passed;
  counts.skipped += skipped;
  // A file that does not load, or an error outside of a test, fails the run without failing a test.
  counts.failed += ok ? failed : Math.max(failed, 1);
  parts.push({ name, seconds, outcome: ok ? `${passed} passed` : 'FAILED' });
}

/** Names the skipped tests; those that can be skipped say in their names what they need. */
function readReport(path: string): { passed: number; failed: number; skipped: number } {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'));
    const skipped = report.numPendingTests + report.numTodoTests;
    const results: { fullName: string; status: string }[] = report.testResults.flatMap(
      ({ assertionResults }: { assertionResults: unknown[] }) => assertionResults,
    );
    for (const { fullName, status } of results) {
      if (status !== 'passed' && status !== 'failed') console.log(`skipped: ${fullName.trim()}`);
    }
    return { passed: report.numPassedTests, failed: report.numFailedTests, skipped };
  } catch (error) {
    console.error(`vitest left no report: ${(error as Error).message}`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

function run(
  name: string,
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): { status: number | null; seconds: number } {
  console.log(`\n── ${name}`);
  const start = performance.now();
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  if (error) console.error(error.message);
  return { status, seconds: (performance.now() - start) / 1000 };
}
