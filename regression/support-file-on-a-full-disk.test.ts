/** `doctor --bundle` left half a file on a full disk, called it wrong usage, and then refused to write over it. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

const anneal = join(import.meta.dirname, '../apps/agent/bin/anneal.mjs');

test.skipIf(process.platform === 'win32')('leaves nothing behind, and can be repeated', async () => {
  const folder = temporaryFolder();
  // A limit on the size of files ends a write in the middle, as a full disk does.
  const bundle = (limit: string) =>
    promisify(execFile)(
      'bash',
      ['-c', `ulimit -f ${limit}; exec "$0" "$@"`, process.execPath, anneal, 'doctor', '--bundle', 'b.json'],
      {
        cwd: folder,
      },
    );
  await expect(bundle('2')).rejects.toMatchObject({ stderr: expect.stringContaining('cannot be written (EFBIG)') });
  expect(readdirSync(folder)).toEqual([]);
  await bundle('unlimited');
  expect(JSON.parse(readFileSync(join(folder, 'b.json'), 'utf8'))).toHaveProperty('made');
});
