import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const files = globSync('{bench,scripts}/*.ts', { cwd: root }).filter((path) => !path.endsWith('.test.ts'));
const holding = (code: RegExp): string[] => files.filter((path) => code.test(readFileSync(join(root, path), 'utf8')));
const scripts = holding(/ = readArguments\(\{/);

async function call(script: string, ...args: string[]): Promise<{ code: number; out: string; said: string }> {
  const child = spawn(process.execPath, [join(root, script), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, said, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, out, said };
}

test('every script that takes names or options has a usage', async () => {
  expect(scripts.length).toBeGreaterThan(12);
  // start.ts hands everything on to `anneal serve`.
  expect(holding(/ parseArgs\(|process\.argv\.slice/).sort()).toEqual(['bench/arguments.ts', 'scripts/start.ts']);
  for (const { code, out } of await Promise.all(scripts.map((script) => call(script, '--help')))) {
    expect(out).toMatch(/^\w.*[.]\n\nusage: .*\n$/);
    expect(code).toBe(0);
  }
});

test.each([
  ['bench/uploads.ts', ['x', '--parts', '1'], "Unknown option '--parts'"],
  ['bench/uploads.ts', [], 'NAME is missing'],
  ['bench/uploads.ts', ['x', 'y'], "'y' is one name too many"],
  ['bench/uploads.ts', ['x', '--part', 'big'], "--part takes a number of at least 0, not 'big'"],
  ['bench/record.ts', ['x'], '--model is missing'],
])('%s %j: what is wrong in one line', async (script, args, what) => {
  const { code, said } = await call(script, ...args);
  expect(code).toBe(2);
  expect(said).toMatch(/^error: .*\nusage: .*\n$/);
  expect(said).toContain(`error: ${what}\n`);
});
