/** A server that broke off, and sent the same beginning of another file each time, was asked again without end. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { downloadFile } from '../packages/core/src/hub/download.ts';
import { temporaryFolder } from '../scripts/testing/temporaryFolder.ts';

vi.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() }));

const content = Buffer.alloc(400_000, 7);
/** Four for each of the at most three times that 64 KiB more have come, and some. */
const ENOUGH = 40;

test('a download that begins again and again comes to an end', async () => {
  const folder = temporaryFolder('again');
  let requests = 0;
  const server = createServer((_, response) => {
    requests++;
    response.writeHead(200, { 'content-length': content.length, etag: `"${requests}"` });
    if (requests > ENOUGH) response.end(content);
    else response.write(content.subarray(0, requests % 2 === 1 ? 200_000 : 100_000), () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const file = { path: 'model.safetensors', url, bytes: content.length, checksum: undefined };
  await expect(downloadFile(file, join(folder, 'model.safetensors'), {})).rejects.toThrow('model.safetensors: ');
  expect(requests).toBeLessThanOrEqual(ENOUGH);
});
