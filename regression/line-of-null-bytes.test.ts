/** A line of null bytes, as a crash leaves it in a file, passed for an empty line: rows were lost in silence. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSource } from '../packages/core/src/datasets/read.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

test('null bytes are a row that cannot be read', async () => {
  const path = join(temporaryFolder(), 'rows.jsonl');
  writeFileSync(path, '{"text":"a"}\n \t\v\f\r\n\0\0\0\n{"text":"b"}\n');
  await expect(openSource(path)).rejects.toMatchObject({ code: 'malformed_row', where: `${path}:3` });
});
