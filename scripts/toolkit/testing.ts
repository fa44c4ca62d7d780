/** A package index with small wheels, for tests. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32, deflateRawSync } from 'node:zlib';

export interface IndexStandIn {
  readonly url: string;
  /** Address, Range and Authorization of every request. */
  readonly requests: { url: string; range: string | undefined; authorization: string | undefined }[];
  /** Bytes after which the next transfer of a file breaks off. */
  readonly breakAfter: Map<string, number>;
  close(): Promise<void>;
}

export function sha256(bytes: string | Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A ZIP archive; a path that contains `bin/` is executable. */
export function makeZip(files: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [path, content] of Object.entries(files)) {
    const name = Buffer.from(path);
    const packed = deflateRawSync(content);
    // Version, flags, method, time, date, checksum, sizes, length of the name: the same in both headers.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, name, packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((path.includes('bin/') ? 0o755 : 0o644) * 0x10000, 6);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x03', 'latin1'), common, rest, name);
    locals.push(local);
    offset += local.length;
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(locals.length, 10);
  end.writeUInt32LE(entries.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, entries, end]);
}

/** @param wheels by file name; the package of `a_b-1.whl` is `a-b` */
export async function startIndex(wheels: ReadonlyMap<string, Buffer>, form: 'json' | 'html'): Promise<IndexStandIn> {
  const requests: IndexStandIn['requests'] = [];
  const breakAfter = new Map<string, number>();
  const server = createServer(({ url = '', headers }, response) => {
    requests.push({ url, range: headers.range, authorization: headers.authorization });
    const wheel = wheels.get(url.replace('/files/', ''));
    if (wheel) {
      const [, first = '0', last = ''] = /bytes=(\d+)-(\d*)/.exec(headers.range ?? '') ?? [];
      const end = last ? Number(last) + 1 : wheel.length;
      response.writeHead(headers.range ? 206 : 200, {
        etag: '"1"',
        'content-range': `bytes ${first}-${end - 1}/${wheel.length}`,
      });
      const file = url.replace('/files/', '');
      const limit = breakAfter.get(file);
      breakAfter.delete(file);
      if (limit === undefined) return response.end(wheel.subarray(Number(first), end));
      return response.write(wheel.subarray(Number(first), limit), () => setTimeout(() => response.destroy(), 100));
    }
    const names = [...wheels.keys()].filter((name) => url === `/simple/${name.split('-')[0]?.replaceAll('_', '-')}/`);
    if (names.length === 0) return response.writeHead(404).end();
    const links = names.map((name) => ({ filename: name, url: `../../files/${name}` }));
    if (form === 'json') return response.end(JSON.stringify({ files: links }));
    return response.end(
      links.map(({ filename, url: link }) => `<a href="${link}#sha256=0">${filename}</a>`).join('\n'),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url, requests, breakAfter, close };
}
