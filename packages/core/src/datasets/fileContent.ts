/** What the first bytes of a file say that it is, whatever its name says. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { UserError } from '@anneal/formats/errors';

const COMPRESSED: readonly (readonly [name: string, start: readonly number[], ending: string, command: string])[] = [
  ['gzip', [0x1f, 0x8b], '.gz', 'gunzip'],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd], '.zst', 'unzstd'],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a], '.xz', 'unxz'],
  ['bzip2', [0x42, 0x5a, 0x68], '.bz2', 'bunzip2'],
  ['zip', [0x50, 0x4b, 0x03, 0x04], '.zip', 'unzip'],
];

/** The command that unpacks a file of this name; undefined where its name says nothing of the kind. */
export const unpackerOf = (name: string): string | undefined =>
  COMPRESSED.find(([, , ending]) => name.toLowerCase().endsWith(ending))?.[3];

/** Files of rows that are not read, by their endings. */
const OTHER_TABLES: readonly (readonly [endings: readonly string[], advice: string])[] = [
  [['.arrow'], "write them as Parquet, with Python: datasets.load_from_disk(FOLDER).to_parquet('rows.parquet')"],
  [['.xlsx', '.xls', '.ods'], 'save the sheet as CSV in UTF-8'],
  [['.feather', '.orc', '.avro', '.pkl', '.pickle', '.h5', '.hdf5'], 'write the rows as Parquet or JSONL'],
  [['.sqlite', '.sqlite3', '.duckdb'], 'write the rows as Parquet or JSONL'],
];

/** What to do with a file of rows that is not read; undefined for a file of another kind, such as README.md. */
export const adviceForTable = (name: string): string | undefined =>
  OTHER_TABLES.find(([endings]) => endings.some((ending) => name.toLowerCase().endsWith(ending)))?.[1];

const PARQUET = [0x50, 0x41, 0x52, 0x31];
const UTF16 = [
  [0xff, 0xfe],
  [0xfe, 0xff],
];

/**
 * A text file that is packed, a table of another format, or in another encoding would be refused by its first row, with advice that does
 * not help.
 * @param path of a JSONL, JSON, CSV, TSV or text file
 * @throws UserError `data_not_text`
 */
export function refuseOtherThanText(path: string): void {
  const head = Buffer.alloc(8);
  const file = openSync(path, 'r');
  let size: number;
  try {
    size = fstatSync(file).size;
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  const begins = (start: readonly number[]): boolean => start.every((byte, i) => head[i] === byte);
  const refuse = (what: string, next: string): UserError =>
    new UserError({ what: `the file holds ${what}, and its name says text`, where: path, next, code: 'data_not_text' });
  if (head.every((byte) => byte === 0) && size >= head.length)
    throw refuse('null bytes', 'write or download it again: its room was reserved, and the content never came');
  const packed = COMPRESSED.find(([, start]) => begins(start));
  if (packed) throw refuse(`${packed[0]}-compressed data`, `unpack it first (${packed[3]})`);
  if (begins(PARQUET)) throw refuse('a Parquet table', 'give it a name that ends in .parquet');
  if (begins([0xff, 0xfe, 0, 0]) || begins([0, 0, 0xfe, 0xff])) {
    throw refuse('UTF-32 text', 'convert it to UTF-8 (iconv -f UTF-32 -t UTF-8)');
  }
  // Without a byte order mark, ASCII in UTF-16 has every other byte 0.
  const everyOther = (first: number): boolean => head.every((byte, i) => (byte === 0) === (i % 2 === first));
  if (UTF16.some(begins) || everyOther(0) || everyOther(1)) {
    throw refuse('UTF-16 text', 'convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)');
  }
}
