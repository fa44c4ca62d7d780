/** A TMPDIR that nobody may write was "a defect in Anneal" to `inspect`, `estimate` and `train --dry-run`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { makeTemporaryFolder } from '../packages/formats/src/files/temporaryFolder.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('is an error with advice', () => {
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, '');
  vi.stubEnv('TMPDIR', file);
  expect(() => makeTemporaryFolder('data')).toThrow(
    expect.objectContaining({
      code: 'folder_not_writable',
      where: expect.stringContaining(join(file, 'anneal-data.')),
      next: 'point TMPDIR to a folder that can be written',
    }),
  );
});
