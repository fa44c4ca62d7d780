import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import { chunksOf } from './chunks.ts';
import { readDocuments } from './documents.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder('documents');
});

const read = (name: string, field = 'text') =>
  readDocuments([{ path: join(folder, name), name, field }], join(folder, 'rows.jsonl'));

it.each([
  ['nowhere.md', 'file_not_found'],
  ['latin.txt', 'invalid_utf8'],
  ['packed.md', 'data_not_text'],
  ['picture.png', 'data_kind_unknown'],
  ['blank.md', 'sources_empty'],
  ['numbers.jsonl', 'source_field_wrong'],
  ['fieldless.jsonl', 'source_field_wrong'],
  ['broken.jsonl', 'malformed_row'],
  ['loop', 'file_not_readable'],
])('of %s says %s', async (name, code) => {
  writeFileSync(join(folder, 'latin.txt'), Buffer.from([0x48, 0xe4, 0x66, 0x65, 0x6e, 0x20, 0x20, 0x20, 0x20]));
  writeFileSync(join(folder, 'packed.md'), Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4]));
  writeFileSync(join(folder, 'picture.png'), 'x');
  writeFileSync(join(folder, 'blank.md'), ' \n');
  writeFileSync(join(folder, 'numbers.jsonl'), '{"text": 1}\n');
  writeFileSync(join(folder, 'fieldless.jsonl'), '{"body": "Harbor."}\n');
  writeFileSync(join(folder, 'broken.jsonl'), '{"text": \n');
  symlinkSync('loop', join(folder, 'loop'));
  await expect(read(name)).rejects.toMatchObject({ code });
});

it('goes through folders by name, and passes over links and hidden files', async () => {
  mkdirSync(join(folder, 'docs', 'inner'), { recursive: true });
  writeFileSync(join(folder, 'docs', 'b.MD'), 'B');
  writeFileSync(join(folder, 'docs', 'inner', 'a.txt'), 'A\nstays one document');
  writeFileSync(join(folder, 'docs', '.hidden.md'), 'H');
  symlinkSync('..', join(folder, 'docs', 'up'));
  const { documents, passedOver } = await read('docs');
  expect(documents.map(({ source }) => source)).toEqual(['docs/b.MD', 'docs/inner/a.txt']);
  expect(passedOver).toEqual(['docs/.hidden.md', 'docs/up']);
});

it('is cut into chunks that are the document but for blanks, with their bytes, and no half character', () => {
  const text = `Häfen\n\n  ${'😀'.repeat(100)} end. Another sentence follows here.\nA line.\n\n${'word '.repeat(60)}`;
  for (const most of [2, 3, 7, 50, 101, 1000]) {
    const chunks = chunksOf({ source: 's', row: null, text }, most);
    const bytes = Buffer.from(text);
    for (const chunk of chunks) {
      expect(chunk.text.length).toBeLessThanOrEqual(most);
      expect(bytes.subarray(chunk.start, chunk.end).toString()).toBe(chunk.text);
    }
    expect(
      chunks
        .map((chunk) => chunk.text)
        .join('')
        .replaceAll(/\s/g, ''),
    ).toBe(text.replaceAll(/\s/g, ''));
  }
  const sentences = chunksOf({ source: 's', row: null, text: 'One is here. Two is there. Three.' }, 28);
  expect(sentences.map((chunk) => chunk.text)).toEqual(['One is here. Two is there.', 'Three.']);
});
