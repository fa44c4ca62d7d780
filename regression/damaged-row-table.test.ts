/** A damaged `rows.bin` in the cache was "a defect in Anneal", or gave rows a verdict that there is not. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RowTable } from '../packages/core/src/datasets/rowTable.ts';
import { temporaryFolder } from '../scripts/testing/temporaryFolder.ts';

test.each([
  ['cut off', Buffer.alloc(10)],
  ['of an unknown verdict', Buffer.alloc(9, 0x1f)],
])('a table of rows that is %s is refused with what to do', (_, bytes) => {
  const folder = temporaryFolder('rows');
  const path = join(folder, 'rows.bin');
  writeFileSync(path, bytes);
  expect(() => RowTable.read(path)).toThrow(
    expect.objectContaining({
      code: 'token_cache_damaged',
      what: 'the prepared data are damaged: rows.bin is not a table of rows',
      where: folder,
    }),
  );
});
