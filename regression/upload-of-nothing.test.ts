/** A file of no bytes was put into the workspace, and its sender told that there is none; a checksum beside a part was not looked at. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makePlace, paired, start } from '../apps/agent/test/helpers/daemon.ts';

const encoded = (text: string) => Buffer.from(text).toString('base64');

it('an empty file and an upload with checksums are refused', async () => {
  const place = makePlace();
  const daemon = await start(place);
  const headers = { cookie: await paired(daemon), origin: daemon.url, 'tus-resumable': '1.0.0' };
  const create = (size: number, more: Record<string, string> = {}) =>
    fetch(`${daemon.url}/api/uploads`, {
      method: 'POST',
      headers: {
        ...headers,
        'upload-length': String(size),
        'upload-metadata': `filename ${encoded('mine.jsonl')},folder ${encoded('project')}`,
        ...more,
      },
    });
  const empty = await create(0);
  expect(empty.status).toBe(400);
  expect(await empty.json()).toMatchObject({ error: { code: 'file_empty' } });
  expect(readdirSync(join(place.workspace, 'project'))).toEqual([]);
  const part = (path: string, more: Record<string, string> = {}) =>
    fetch(`${daemon.url}${path}`, {
      method: 'PATCH',
      headers: { ...headers, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream', ...more },
      body: '{"text": "a"}\n',
    });
  const path = (await create(14)).headers.get('location') as string;
  const checked = await part(path, { 'upload-checksum': 'sha1 AAAA' });
  expect(checked.status).toBe(400);
  expect(await checked.text()).toContain('checksums are not supported');
  expect((await part(path)).ok).toBe(true);
});
