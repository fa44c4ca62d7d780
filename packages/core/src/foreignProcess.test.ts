import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { temporaryFolder } from '../../../scripts/testing/temporaryFolder.ts';
import { ForeignProcess } from './foreignProcess.ts';

let folder: string;
let script: URL;
beforeAll(() => {
  folder = temporaryFolder('foreign');
  const path = join(folder, 'library.ts');
  writeFileSync(
    path,
    `import { answerRequests } from ${JSON.stringify(new URL('./foreignProcess.ts', import.meta.url).href)};
answerRequests(async ({ kind, value }) => {
  if (kind === 'crash') process.kill(process.pid, 'SIGSEGV');
  if (kind === 'refuse') throw new Error(value);
  if (kind === 'environment') return { ...process.env };
  if (kind === 'panic') {
    process.stderr.write(value, () => process.kill(process.pid, 'SIGKILL'));
    await new Promise((resolve) => setTimeout(resolve, 1e6));
  }
  if (kind === 'crash' || kind === 'hang') await new Promise((resolve) => setTimeout(resolve, 1e6));
  return value;
});`,
  );
  script = pathToFileURL(path);
});
afterEach(() => vi.unstubAllEnvs());

const open = (): ForeignProcess =>
  new ForeignProcess(script, {
    refused: (message) => new Error(`refused: ${message}`),
    failed: (reason) => new Error(`failed: ${reason}`),
  });

test('answers come in order, and a refusal ends nothing', async () => {
  const library = open();
  const answers = await Promise.allSettled([
    library.ask({ kind: 'echo', value: 2n ** 60n }),
    library.ask({ kind: 'refuse', value: 'no' }),
    library.ask({ kind: 'echo', value: [1] }),
  ]);
  expect(answers).toEqual([
    { status: 'fulfilled', value: 2n ** 60n },
    { status: 'rejected', reason: new Error('refused: no') },
    { status: 'fulfilled', value: [1] },
  ]);
  library.end();
  expect(library.isRunning).toBe(false);
});

test('a crash, and what is asked after it, is an error that says so', async () => {
  const library = open();
  await expect(library.ask({ kind: 'crash' })).rejects.toThrow('failed: its process ended (SIGSEGV)');
  await expect(library.ask({ kind: 'echo' })).rejects.toThrow('failed: its process ended (SIGSEGV)');
});

test('no answer in time is an error, and the process ends', async () => {
  const library = open();
  expect(await library.ask({ kind: 'echo', value: 1 })).toBe(1);
  await expect(library.ask({ kind: 'hang' }, 100)).rejects.toThrow('failed: no answer within 0 s');
  expect(library.isRunning).toBe(false);
});

test('a library gets what it needs of the environment, and no token', async () => {
  vi.stubEnv('HF_TOKEN', 'hf_secret');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.stubEnv('NODE_OPTIONS', '--no-warnings');
  vi.stubEnv('TZ', 'Asia/Shanghai');
  const library = open();
  const given = (await library.ask({ kind: 'environment' })) as Record<string, string>;
  library.end();
  expect(given).toMatchObject({ PATH: process.env['PATH'], TZ: 'Asia/Shanghai' });
  expect(Object.keys(given).filter((name) => /TOKEN$|SECRET|NODE_OPTIONS/.test(name))).toEqual([]);
});

test('of what a library says before it ends the last words count', async () => {
  const library = open();
  const said = `${'a warning\n'.repeat(2000)}thread 'main' panicked at src/lib.rs:1:2:\nno such token\n`;
  await expect(library.ask({ kind: 'panic', value: said })).rejects.toThrow('failed: no such token');
});

test('it is busy until the last of what was asked is answered', async () => {
  const library = open();
  const answers = [library.ask({ kind: 'echo', value: 1 }), library.ask({ kind: 'echo', value: 2 })];
  expect(library.isBusy).toBe(true);
  await answers[0];
  expect(library.isBusy).toBe(true);
  await answers[1];
  expect(library.isBusy).toBe(false);
  library.end();
});
