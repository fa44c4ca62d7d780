/** `anneal doctor --bundle`: what somebody who helps needs, and nothing that is secret. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exitCodes } from '../src/exitCodes.ts';
import { redactor } from '../src/service/support/redact.ts';
import { annealIn, temporaryFolder } from './helpers/anneal.ts';
import { trainedRun } from './helpers/trainedRun.ts';

const redact = redactor({
  environment: { HF_TOKEN: 'hunter2hunter2', MY_PASSWORD: 'correct horse', PATH: '/usr/bin', SHORT_TOKEN: 'a' },
  home: '/home/ada',
  user: 'ada',
  host: 'gpu-7',
});

test.each([
  ['with hunter2hunter2 in it', 'with [HF_TOKEN] in it'],
  ['correct horse battery', '[MY_PASSWORD] battery'],
  ['hf_AbCdEfGhIjKlMnOpQrStUv', '[token]'],
  ['anneal_SfxCn2avMRZcGQxE5vGhjS5Db8dSo12TTGaiJd_rCiY', '[token]'],
  ['Authorization: Bearer abc.def-ghi', 'Authorization: Bearer [token]'],
  ['https://ada:pw@hub.lab/x', 'https://[password]@hub.lab/x'],
  ['https://hub.lab/x?token=abcdef&y=1', 'https://hub.lab/x?token=[secret]&y=1'],
  ['"api_key": "0123456789"', '"api_key": "[secret]"'],
  ['http://127.0.0.1:7420/pair#4JF3SREG76', 'http://127.0.0.1:7420/pair#[code]'],
  ['-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\nafter', '[private key]\nafter'],
  ['/home/ada/runs on gpu-7 by ada', '~/runs on [host] by [user]'],
  ['tokens: 1234, adamw and gpu-70 stay', 'tokens: 1234, adamw and gpu-70 stay'],
])('%s becomes %s', (text, expected) => {
  expect(redact(text)).toBe(expected);
});

test('the file tells of versions, devices, errors and the newest run; secrets and samples are not in it', async () => {
  const run = await trainedRun();
  const project = join(run, '..', '..');
  const home = temporaryFolder();
  const logs = join(home, 'state', 'anneal');
  mkdirSync(logs, { recursive: true });
  writeFileSync(join(logs, 'error-2026-01-01.log'), 'Error: at hf_AbCdEfGhIjKlMnOpQrStUv\n');
  writeFileSync(join(run, 'run.log'), 'the token is s3cret-value-of-mine\n');
  const anneal = annealIn(project, { XDG_STATE_HOME: join(home, 'state'), HF_TOKEN: 's3cret-value-of-mine' });
  const { code, stdout } = await anneal('doctor', '--bundle', 'support.json', '--json');
  expect([code, JSON.parse(stdout)]).toEqual([exitCodes.done, { path: 'support.json' }]);
  const path = join(project, 'support.json');
  const text = readFileSync(path, 'utf8');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(text).not.toMatch(/s3cret-value|hf_AbCd/);
  expect(JSON.parse(text)).toMatchObject({
    versions: { node: process.version },
    devices: expect.arrayContaining([expect.objectContaining({ name: 'cpu' })]),
    findings: expect.arrayContaining([expect.objectContaining({ name: 'Node' })]),
    environment: expect.arrayContaining(['HF_TOKEN=[HF_TOKEN]']),
    errors: ['error-2026-01-01.log\nError: at [token]\n'],
    run: { status: { state: 'finished', step: 60 }, output: 'the token is [HF_TOKEN]\n' },
  });
  const { events, recipe } = JSON.parse(text).run;
  expect(recipe).toContain('base_model');
  expect(events.filter(({ type }: { type: string }) => type === 'sample')[0].prompt).toBe('(12 characters)');
  const again = await anneal('doctor', '--bundle', 'support.json', '--json');
  expect(JSON.parse(again.stdout).error.code).toBe('file_exists');
  expect(readdirSync(project).filter((name) => name.startsWith('anneal-support'))).toEqual([]);
});
