/**
 * `npm test`: what CI checks, part by part. Goes on after a failure, ends with a table of what each part took and, alone
 * on the last line, `N passed, N failed, N skipped`. Files with a failure run once more: a test that then passes is named
 * as unsteady. That is a fault to mend, and none of the change under test.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
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
const unsteady: string[] = [];

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
for (const test of unsteady) console.log(`\nunsteady, it passed the second time only: ${test}`);
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
  const first = vitest(name, options);
  const files = [...new Set(first.failures.map(({ file }) => file))];
  const config = options.includes('--config') ? options.slice(0, 2) : [];
  // Without a test that failed it was an error outside of one: it may come from any file.
  const second = first.ok ? first : vitest(`${name}: once more`, files.length > 0 ? [...config, ...files] : options);
  const passed = first.ok ? first.passed.length : new Set([...first.passed, ...second.passed]).size;
  counts.passed += passed;
  counts.failed += second.ok ? 0 : Math.max(second.failures.length, 1);
  counts.skipped += first.skipped;
  const still = new Set(second.failures.map(({ test }) => test));
  unsteady.push(...first.failures.map(({ test }) => test).filter((test) => !still.has(test)));
  if (!first.ok && files.length === 0 && second.ok) unsteady.push(`${name}: an error outside of a test, see above`);
  const seconds = first.seconds + (first.ok ? 0 : second.seconds);
  parts.push({ name, seconds, outcome: second.ok ? `${passed} passed` : 'FAILED' });
}

interface TestRun {
  readonly ok: boolean;
  readonly seconds: number;
  /** File and name. */
  readonly passed: readonly string[];
  readonly skipped: number;
  /** Tests, and files that did not load. */
  readonly failures: readonly { file: string; test: string }[];
}

function vitest(name: string, options: readonly string[]): TestRun {
  const folder = mkdtempSync(join(tmpdir(), 'anneal-test-'));
  const report = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const command = [join(modules, 'vitest', 'vitest.mjs'), 'run', ...reporters, ...options];
  const { status, seconds } = run(name, process.execPath, command);
  const read = readReport(report);
  rmSync(folder, { recursive: true, force: true });
  return { ok: status === 0, seconds, ...read };
}

interface TestReport {
  numPendingTests: number;
  numTodoTests: number;
  testResults: { name: string; status: string; assertionResults: { fullName: string; status: string }[] }[];
}

/** Names the skipped tests; those that can be skipped say in their names what they need. */
function readReport(path: string): Pick<TestRun, 'passed' | 'skipped' | 'failures'> {
  const passed: string[] = [];
  const failures: { file: string; test: string }[] = [];
  if (!existsSync(path)) {
    console.error('vitest left no report');
    return { passed, skipped: 0, failures };
  }
  const { testResults, numPendingTests, numTodoTests } = JSON.parse(readFileSync(path, 'utf8')) as TestReport;
  for (const { name: file, status: outcome, assertionResults } of testResults) {
    for (const { fullName, status } of assertionResults) {
      const test = `${relative(root, file)}: ${fullName.trim()}`;
      if (status === 'passed') passed.push(test);
      else if (status === 'failed') failures.push({ file, test });
      else console.log(`skipped: ${test}`);
    }
    if (outcome === 'failed' && !failures.some((failure) => failure.file === file)) {
      failures.push({ file, test: `${relative(root, file)}: the file as a whole` });
    }
  }
  return { passed, skipped: numPendingTests + numTodoTests, failures };
}

function run(name: string, command: string, args: readonly string[]): { status: number | null; seconds: number } {
  console.log(`\n── ${name}`);
  const start = performance.now();
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
  });
  if (error) console.error(error.message);
  return { status, seconds: (performance.now() - start) / 1000 };
}
