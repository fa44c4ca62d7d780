/**
 * A Parquet file of which a few bytes were damaged ended the process that read it: DuckDB crashed (SIGSEGV) inside `anneal inspect`,
 * `validate`, `train` and the agent, without a word. Found by `npm run fuzz -- parquet --seed 30010474`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { openSource } from '@anneal/core/datasets/read';
import { UserError } from '@anneal/formats/errors';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../scripts/testing/temporaryFolder.ts';

/** Deflated, in base64. */
const damaged = [
  'eNp1lM9rE0EUx99sJ5sl3WhSnGFWgizFLCsUm1QTTQmaShFRKUXMTbSTZGuj+QHZpDbQQ/XgSfo3VBAprYIehFYQRNRT8ea9HgTx1IsXQXBmk4',
  '1JW4fZ2Xmzbz7vve9MMjt1I0mArCHyCI0RRnSiEhXAfjP+x5z9hAArCngtoukhaNQfmInkhN+lOTEMJv74cO7fYH+LrhwRTJtMSmKoj3jsKYDk',
  'MbQieNBFAwjvHUSWpftIn/v8SwQlpbMB8nnIb8JmfgM28l+/7/36DUpAC4XhYs5rAdjaHYo2L4+rC9uTBJMIGb1OFAJdlDYFgIXRcp2GiHaCJG',
  'SwSF+wo+1ubp0RIybTWkdk5YAwN98heNbJC7CsBAMChSd4kk/wM/wsT/E0P8fP8wxPisUkhhwa3t7Klq9FBXKMXNivC33dyU4HXRE8Ve9X5jgZ',
  '2+8fLvf8pZLCLReLAfiPL6x45eTRyblwN0WWXsMEGzspYOFSq3i/VLjjFhecKichIHpcYbjpLDXjgomFodZa1YLTiJ8EEhJmwF3gDQdSCtOqju',
  'vyu44rRFYhhRmulN0mUeS3oFNxqk6tSXCX2KhXHEmURrBYrzXFR2EL10C13C440lFGQ0sykCJn7fgoUGbEjGULYkQ3RO9kRnTK6GdE15GlZVnA',
  'u4OdV4KCPWBHo6JYuR0bJGT4tXiAq/SW9QplmTbcFZppvuSCcshqjxUyyIjRFcJD7SG6hqwnioDlvRbODcIOrvZgoq6IcaWnpaehr56nmhfhHl',
  '1F1o8h68VQjGF5gzsjBar024JqrQbJ7R5a/x/aPwOP/gXR58h6i7NM4RnxSBm7s0EB7UCVi8NCS962GTpn7QYGFFT9onX7kNUeTOmHtT1Yls5Y',
  '79VsmsndH4KUWRp9HATbnhY3dPqSueg03HK9Zi4mT6dqadMutMqVkplIZ4rFzHymkDplLMu7f6DDT/EbmBX/cX8BEgnbUQ==',
].join('');

let folder: string;
beforeAll(() => {
  folder = temporaryFolder('parquet');
});

test('a file that DuckDB does not survive is an error that names it, and others are read as before', async () => {
  const path = join(folder, 'damaged.parquet');
  writeFileSync(path, inflateSync(Buffer.from(damaged, 'base64')));
  const read = async (): Promise<void> => {
    const source = await openSource(path);
    for await (const _ of source.rows(10));
    await source.close();
  };
  const error = (await read().catch((thrown: unknown) => thrown)) as UserError;
  expect(error).toBeInstanceOf(UserError);
  expect(error.what).toMatch(/^the table cannot be read: /);
  expect(error.where).toBe(path);

  writeFileSync(join(folder, 'whole.csv'), 'a,b\n1,2\n');
  const whole = await openSource(join(folder, 'whole.csv'));
  expect((await whole.page(0, 1))[0]?.value).toEqual({ a: '1', b: '2' });
  await whole.close();
});
