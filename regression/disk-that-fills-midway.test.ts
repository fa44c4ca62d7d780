/**
 * Disks that fill after they had room, as they do beside other processes: an upload says so with 507 and goes on where it was once
 * there is room. Told in files before: an append that does not fit, removal, support files.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makePlace, paired, start } from '../apps/agent/test/helpers/daemon.ts';

/** A disk in memory, which root alone can have. */
function mount(folder: string, size: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'anneal', folder], { stdio: 'ignore' });
    onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
    return true;
  } catch {
    return false;
  }
}

const resize = (folder: string, size: string) =>
  execFileSync('mount', ['-o', `remount,size=${size}`, folder], { stdio: 'ignore' });

const encoded = (text: string) => Buffer.from(text).toString('base64');

test('what has arrived of a file stays, and need not come again', async ({ skip }) => {
  const place = makePlace();
  if (!mount(place.workspace, '8G')) return skip('no right to mount a file system');
  mkdirSync(join(place.workspace, 'project'));
  const daemon = await start(place);
  const headers = { cookie: await paired(daemon), origin: daemon.url, 'tus-resumable': '1.0.0' };
  const file = Buffer.from('{"text": "a row"}\n'.repeat(300_000));
  const created = await fetch(`${daemon.url}/api/uploads`, {
    method: 'POST',
    headers: {
      ...headers,
      'upload-length': String(file.length),
      'upload-metadata': `filename ${encoded('mine.jsonl')},folder ${encoded('project')}`,
    },
  });
  const path = created.headers.get('location') as string;
  const send = (offset: number, end?: number) =>
    fetch(`${daemon.url}${path}`, {
      method: 'PATCH',
      headers: { ...headers, 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' },
      body: new Uint8Array(file.subarray(offset, end)),
    });
  expect((await send(0, 1_000_000)).status).toBe(204);
  resize(place.workspace, '3M');
  const full = await send(1_000_000);
  expect([full.status, await full.json()]).toMatchObject([507, { error: { code: 'disk_full' } }]);
  const { origin: _, ...plain } = headers;
  const head = await fetch(`${daemon.url}${path}`, { method: 'HEAD', headers: plain });
  const arrived = Number(head.headers.get('upload-offset'));
  expect(arrived).toBeGreaterThanOrEqual(1_000_000);
  expect(existsSync(join(place.workspace, 'project', 'mine.jsonl'))).toBe(false);
  resize(place.workspace, '30M');
  expect((await send(arrived)).status).toBe(200);
  expect(readFileSync(join(place.workspace, 'project', 'mine.jsonl')).equals(file)).toBe(true);
  await daemon.close();
});
