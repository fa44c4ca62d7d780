/** Files that are sent into the workspace, as tus clients do: in parts, resumed, over nothing that is there, and nowhere else. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import type { Daemon } from '../src/daemon/daemon.ts';
import { makePlace, type Place, paired, start } from './helpers/daemon.ts';

let place: Place;
let daemon: Daemon;
let headers: Record<string, string>;

beforeEach(async () => {
  place = makePlace();
  daemon = await start(place);
  headers = { cookie: await paired(daemon), origin: daemon.url, 'tus-resumable': '1.0.0' };
});

const content = Buffer.from(Array.from({ length: 5000 }, (_, i) => `{"text": "row ${i}"}\n`).join(''));
const encoded = (text: string) => Buffer.from(text).toString('base64');

function create(
  { name = 'mine.jsonl', folder = 'project', size = content.length } = {},
  given: Record<string, string> = headers,
): Promise<Response> {
  const metadata = `filename ${encoded(name)},folder ${encoded(folder)}`;
  const more = { 'upload-length': String(size), 'upload-metadata': metadata };
  return fetch(`${daemon.url}/api/uploads`, { method: 'POST', headers: { ...given, ...more } });
}

function send(path: string, offset: number, bytes: Buffer): Promise<Response> {
  const more = { 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' };
  return fetch(`${daemon.url}${path}`, {
    method: 'PATCH',
    headers: { ...headers, ...more },
    body: new Uint8Array(bytes),
  });
}

const offsetOf = async (path: string): Promise<string | null> => {
  // Browsers do not say where such a request comes from.
  const { origin: _, ...plain } = headers;
  return (await fetch(`${daemon.url}${path}`, { method: 'HEAD', headers: plain })).headers.get('upload-offset');
};
const codeOf = async (answer: Response): Promise<string> =>
  ((await answer.json()) as { error: { code: string } }).error.code;
const target = () => join(place.workspace, 'project', 'mine.jsonl');

it('where to send the parts is said below the path of a proxy', async () => {
  const below = await start(makePlace(), { basePath: '/proxy/7420' });
  const cookie = await paired(below);
  const metadata = `filename ${encoded('mine.jsonl')},folder ${encoded('project')}`;
  const created = await fetch(`${below.url}/api/uploads`, {
    method: 'POST',
    headers: { ...headers, cookie, origin: below.url, 'upload-length': '5', 'upload-metadata': metadata },
  });
  expect(created.headers.get('location')).toMatch(/^\/proxy\/7420\/api\/uploads\/[0-9a-f]{32}$/);
});

it('a file comes in parts, is taken up where it broke off, and is there only when it is whole', async () => {
  const created = await create();
  expect(created.status).toBe(201);
  const path = created.headers.get('location') as string;
  expect(path).toMatch(/^\/api\/uploads\/[0-9a-f]{32}$/);
  expect((await send(path, 0, content.subarray(0, 1000))).status).toBe(204);
  expect(existsSync(target())).toBe(false);
  expect(await offsetOf(path)).toBe('1000');
  expect((await send(path, 0, content)).status).toBe(409); // not what is there
  const last = await send(path, 1000, content.subarray(1000));
  expect(await last.json()).toEqual({ key: 'project/mine.jsonl' });
  expect(readFileSync(target())).toEqual(content);
  expect(readdirSync(join(place.workspace, '.anneal-uploads'))).toEqual([]);
});

it('an upload that was begun goes on with an agent that was started anew', async () => {
  const path = (await create()).headers.get('location') as string;
  await send(path, 0, content.subarray(0, 1000));
  await daemon.close();
  daemon = await start(place);
  headers.origin = daemon.url;
  expect(await offsetOf(path)).toBe('1000');
  expect((await send(path, 1000, content.subarray(1000))).ok).toBe(true);
  expect(readFileSync(target())).toEqual(content);
});

it.each(['breaks off', 'hangs'])(
  'a part whose connection %s is taken up by another one after what came',
  async (how) => {
    const path = (await create()).headers.get('location') as string;
    const part = request(`${daemon.url}${path}`, {
      method: 'PATCH',
      headers: {
        ...headers,
        'upload-offset': '0',
        'content-type': 'application/offset+octet-stream',
        'content-length': String(content.length),
      },
    });
    part.on('error', () => undefined);
    part.write(content.subarray(0, 1000));
    const file = join(place.workspace, '.anneal-uploads', path.split('/').at(-1) as string);
    if (how === 'breaks off') {
      await new Promise((resolve) => setTimeout(resolve, 300));
      part.destroy();
    }
    await vi.waitFor(async () => expect(await offsetOf(path)).toBe('1000'), { timeout: 20_000, interval: 200 });
    expect(readFileSync(file)).toEqual(content.subarray(0, 1000));
    expect((await send(path, 1000, content.subarray(1000))).ok).toBe(true);
    expect(readFileSync(target())).toEqual(content);
  },
);

it('no more is written than was announced, also where a part does not say how long it is', async () => {
  const path = (await create()).headers.get('location') as string;
  const part = request(`${daemon.url}${path}`, {
    method: 'PATCH',
    headers: { ...headers, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
  });
  const ended = new Promise<number | undefined>((resolve) => {
    part.once('response', ({ statusCode }) => resolve(statusCode));
    part.once('error', () => resolve(undefined)); // closed while it was still sending
  });
  part.end(Buffer.concat([content, content]));
  expect([undefined, 413]).toContain(await ended);
  expect(existsSync(target())).toBe(false);
  expect(Number(await offsetOf(path))).toBeLessThanOrEqual(content.length);
});

it('nothing is overwritten, also where it came in the meantime', async () => {
  const path = (await create()).headers.get('location') as string;
  writeFileSync(target(), 'theirs');
  expect(await codeOf(await create())).toBe('file_exists');
  const last = await send(path, 0, content);
  expect(last.status).toBe(409);
  expect(await codeOf(last)).toBe('file_exists');
  expect(readFileSync(target(), 'utf8')).toBe('theirs');
});

it('what is cancelled leaves nothing', async () => {
  const path = (await create()).headers.get('location') as string;
  await send(path, 0, content.subarray(0, 1000));
  expect((await fetch(`${daemon.url}${path}`, { method: 'DELETE', headers })).status).toBe(204);
  expect(readdirSync(join(place.workspace, '.anneal-uploads'))).toEqual([]);
});

it.each([
  ['../mine.jsonl', 'project', 'data_kind_unknown'],
  ['.hidden.jsonl', 'project', 'data_kind_unknown'],
  ['run.sh', 'project', 'data_kind_unknown'],
  ['a\nb.jsonl', 'project', 'data_kind_unknown'],
  ['mine.jsonl', '..', 'folder_not_found'],
  ['mine.jsonl', 'project/../..', 'folder_not_found'],
  ['mine.jsonl', 'linked', 'folder_not_found'],
  ['mine.jsonl', 'project/runs', 'folder_not_found'],
])('%j into %j is refused', async (name, folder, code) => {
  mkdirSync(join(place.workspace, 'project', 'runs'));
  symlinkSync(join(place.workspace, '..'), join(place.workspace, 'linked'));
  expect(await codeOf(await create({ name, folder }))).toBe(code);
});

it('a file that the disk has no room for is refused before it is sent', async () => {
  const answer = await create({ size: 1e17 });
  expect(answer.status).toBe(507);
  expect(await codeOf(answer)).toBe('disk_full');
});

it('only who is paired, on a page of this agent, may send', async () => {
  const { cookie: _, ...stranger } = headers;
  expect((await create({}, stranger)).status).toBe(401);
  const { origin: __, ...elsewhere } = headers;
  expect((await create({}, elsewhere)).status).toBe(401);
  expect((await create({}, { ...headers, origin: 'http://example.com' })).status).toBe(403);
  const path = (await create()).headers.get('location') as string;
  const known = await fetch(`${daemon.url}${path}`, { method: 'PATCH', headers: stranger, body: 'x' });
  expect(known.status).toBe(401);
  expect((await fetch(`${daemon.url}${path}`, { headers })).status).toBe(404); // nothing is read back
  expect((await fetch(`${daemon.url}/api/uploads/..%2f..%2fetc`, { method: 'HEAD', headers })).status).toBe(404);
});
