import { closeSync, openSync, readSync } from 'node:fs';
import { UserError } from '@anneal/formats/errors';

export interface CsvHeader {
  /** Distinct in DuckDB's eyes, which tell no case; a column without a name gets one. */
  readonly columns: readonly string[];
  readonly delimiter: string;
}

const DELIMITERS = [',', ';', '\t', '|'];
/** Longest header that is looked for. */
const HEADER_BYTES = 1 << 20;

/**
 * What the first line of a CSV or TSV file says. DuckDB's own detection is not asked: it takes a file with a mistake for one of another
 * dialect, of fewer columns, or one that begins lines later.
 */
export function readCsvHeader(path: string, extension: '.csv' | '.tsv'): CsvHeader {
  const line = firstLine(readHead(path));
  if (/^"?sep=.?"?$/i.test(line)) {
    throw new UserError({
      what: `the first line, ${line}, is one for Excel, and no header`,
      where: `${path}:1`,
      next: 'remove this line',
      code: 'table_unreadable',
    });
  }
  const candidates = extension === '.tsv' ? ['\t'] : DELIMITERS;
  const [delimiter = ',', fields = []] = candidates
    .map((candidate) => [candidate, split(line, candidate)] as const)
    .reduce((best, next) => (next[1].length > best[1].length ? next : best));
  const taken = new Set<string>();
  const columns = fields.map((field, i) => {
    let name = field.trim() || `column${i}`;
    while (taken.has(name.toLowerCase())) name += '_';
    taken.add(name.toLowerCase());
    return name;
  });
  return { columns, delimiter };
}

function readHead(path: string): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(HEADER_BYTES);
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, HEADER_BYTES, 0)).replace(/^\uFEFF/, '');
  } finally {
    closeSync(file);
  }
}

/** Up to the first line end that is not inside quotes; blank lines before it are skipped, as DuckDB does. */
function firstLine(text: string): string {
  const from = text.search(/[^\r\n]/);
  return from < 0 ? '' : (/^(?:"(?:[^"]|"")*"|[^"\r\n])*/.exec(text.slice(from))?.[0] ?? '');
}

function split(line: string, delimiter: string): string[] {
  const fields = [''];
  let quoted = false;
  for (const character of line) {
    if (character === '"') quoted = !quoted;
    if (character === delimiter && !quoted) fields.push('');
    else fields.push(fields.pop() + character);
  }
  return fields.map((field) => (/^"[^]*"$/.test(field) ? field.slice(1, -1).replaceAll('""', '"') : field));
}
