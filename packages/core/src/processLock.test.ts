import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../../scripts/testing/temporaryFolder.ts';
import { ProcessLock } from './processLock.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder('lock');
});

test('is held once, given back, and leaves nothing behind', () => {
  const path = join(folder, 'a.lock');
  const lock = ProcessLock.tryAcquire(path);
  expect(lock).toBeDefined();
  expect(ProcessLock.tryAcquire(path)).toBeUndefined();
  lock?.release();
  ProcessLock.tryAcquire(path)?.release();
  expect(readdirSync(folder)).toEqual([]);
});

test('processes that wait for one another count without losing any, also past one that was killed', async () => {
  const [path, counter] = [join(folder, 'a.lock'), join(folder, 'counter')];
  writeFileSync(counter, '0');
  const code = `
    import { readFileSync, writeFileSync } from 'node:fs';
    import { withLock } from ${JSON.stringify(join(import.meta.dirname, 'hub/lock.ts'))};
    const [path, counter, rounds, kill] = process.argv.slice(1);
    for (let i = 0; i < Number(rounds); i++) {
      await withLock(path, {}, async () => {
        const before = Number(readFileSync(counter, 'utf8'));
        await new Promise((resolve) => setTimeout(resolve, 2));
        if (kill) process.kill(process.pid, 'SIGKILL');
        writeFileSync(counter, String(before + 1));
      });
    }`;
  const start = (...args: string[]) =>
    new Promise((resolve) =>
      spawn(process.execPath, ['--input-type=module-typescript', '-e', code, path, counter, ...args], {
        stdio: 'inherit',
      }).once('exit', (exit, signal) => resolve(signal ?? exit)),
    );
  expect(await Promise.all([start('8'), start('8'), start('1', 'kill'), start('8')])).toEqual([0, 0, 'SIGKILL', 0]);
  expect(readFileSync(counter, 'utf8')).toBe('24');
});
