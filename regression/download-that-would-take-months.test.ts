/** A server that sent 64 KiB of each connection and then nothing counted as one that makes progress, however large its file was. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { PATIENCE } from '../packages/core/src/hub/boundedFetch.ts';
import { downloadFile } from '../packages/core/src/hub/download.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

vi.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() }));

const CHUNK = Buffer.alloc(64 * 1024, 7);
const ENOUGH = 12;

async function startServer(bytes: number): Promise<{ url: string; requests: () => number }> {
  let requests = 0;
  const server = createServer(({ headers }, response) => {
    requests++;
    const start = Number(/bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0);
    const range = { 'content-range': `bytes ${start}-${bytes - 1}/${bytes}` };
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': bytes - start,
      etag: '"1"',
      ...(start > 0 && range),
    });
    response.write(CHUNK.subarray(0, bytes - start));
    if (requests > ENOUGH) response.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests: () => requests };
}

test('a large file that comes at a rate by which it takes months is given up, a small one is not', async () => {
  const patience = { ...PATIENCE, stallMilliseconds: 200 };
  const download = (url: string, bytes: number) =>
    downloadFile({ path: 'model.bin', url, bytes, checksum: undefined }, join(temporaryFolder(), 'model.bin'), {
      patience,
    });
  const months = await startServer(1e12);
  await expect(download(months.url, 1e12)).rejects.toThrow('model.bin: too little came through');
  expect(months.requests()).toBeLessThan(ENOUGH);
  const small = await startServer(6 * CHUNK.length);
  await download(small.url, 6 * CHUNK.length);
  expect(small.requests()).toBe(6);
});
