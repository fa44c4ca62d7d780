/** Who did what: lines that are only ever appended to a file of the agent. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { type AuditEntry, type AuditPage, auditEntrySchema } from '@anneal/core/protocol/people';
import { appendLine } from '@anneal/formats/files/atomicWrite';

/** A page is read at once. */
const pageBytes = 32 << 10;
/** Of one input: what it is about, not a recipe. */
const mostCharacters = 300;
const longestText = 80;

export class Audit {
  readonly #path: string;
  readonly #log: (text: string) => void;

  /** @param folder of the agent's own state. @param log is told what cannot be written into the file */
  constructor(folder: string, log: (text: string) => void) {
    this.#path = join(folder, 'audit.jsonl');
    this.#log = log;
  }

  /** What was done stays done on a full disk, where making room is what has to be done: then it stands in the log. */
  record({ name, action, input, outcome }: Omit<AuditEntry, 'time' | 'input'> & { input?: unknown }): void {
    const entry: AuditEntry = { time: new Date().toISOString(), name, action, input: shorten(input), outcome };
    try {
      appendLine(this.#path, JSON.stringify(entry), { mode: 0o600 });
    } catch (error) {
      if (!(error instanceof UserError && error.code === 'disk_full')) throw error;
      this.#log(`not in the audit (${error.what}): ${JSON.stringify(entry)}`);
    }
  }

  /** The newest entries that end before a position, by default the end of the file. */
  page(before?: number): AuditPage {
    const text = this.#readUpTo(before);
    if (text === undefined) return { entries: [], before: null };
    const { bytes, start } = text;
    // What stands before the first whole line belongs to the next page.
    const first = start === 0 ? 0 : bytes.indexOf(10) + 1;
    const lines = bytes.toString('utf8', first).split('\n').filter(Boolean);
    const entries = lines.map(entryOf).toReversed();
    return { entries, before: start + first > 0 ? start + first : null };
  }

  #readUpTo(before: number | undefined): { bytes: Buffer; start: number } | undefined {
    let file: number;
    try {
      file = openSync(this.#path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const end = Math.min(before ?? Number.POSITIVE_INFINITY, fstatSync(file).size);
      const start = Math.max(0, end - pageBytes);
      const bytes = Buffer.alloc(end - start);
      return { bytes: bytes.subarray(0, readSync(file, bytes, 0, bytes.length, start)), start };
    } finally {
      closeSync(file);
    }
  }
}

/** A line that a crash has cut off is shown as such. */
function entryOf(line: string): AuditEntry {
  try {
    return auditEntrySchema.parse(JSON.parse(line));
  } catch {
    return { time: '', name: null, action: 'damaged line', input: line.slice(0, longestText), outcome: '' };
  }
}

function shorten(input: unknown): string {
  if (input === undefined) return '';
  const text = JSON.stringify(input, (key, value) => {
    if (key === 'secret') return '…';
    if (typeof value !== 'string' || value.length <= longestText) return value;
    return `${value.slice(0, longestText)}… (${value.length})`;
  });
  return text.length > mostCharacters ? `${text.slice(0, mostCharacters)}…` : text;
}
