/**
 * What the events of long runs add up to, kept in the state of the agent, so that a log is read on and not anew: 1,000,000 steps are
 * there in a tenth of a second instead of ten. Derived from the logs alone: removed, it is made again.
 */
import { createHash } from 'node:crypto';
import { existsSync, fstatSync, readdirSync, readFileSync, readSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { replaceFile } from '@anneal/formats/files/atomicWrite';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { z } from 'zod';
import { hashOf } from '../auth/secrets.ts';
import { keptHistorySchema, RunHistory } from './history.ts';
import { columns, StepTable } from './stepTable.ts';

/** What more of a log has to be read before that is worth keeping: some thousand events. */
const worthKeepingBytes = 1 << 20;
/** At the beginning of a log, and before the byte to which it was read: where they are as they were, so is what lies between. */
const comparedBytes = 4096;

const keptSchema = z.object({
  /** Another meaning of what is kept is another number. */
  version: z.literal(5),
  columns: z.array(z.string()),
  /** Of the rows, which have a number for each behind the columns. */
  functions: z.array(z.string()),
  /** To which the log was read, and what identifies it. */
  offset: z.int().min(0),
  fingerprint: z.string(),
  rows: z.int().min(0),
  /** Of the rows in their file. */
  checksums: z.array(z.int()),
  history: keptHistorySchema,
});

/** A history and how far the log has been read for it. */
export interface ReadHistory {
  history: RunHistory;
  offset: number;
}

export class KeptHistories {
  readonly #folder: string;
  readonly #log: (text: string) => void;
  readonly #offsets = new Map<string, number>();

  /** @param folder of the agent's state. @param log is told what cannot be kept */
  constructor(folder: string, log: (text: string) => void) {
    this.#folder = historiesFolder(folder);
    this.#log = log;
  }

  /** What is kept of a run, or an empty history. @param events the log, opened */
  open(run: string, events: number): ReadHistory {
    const kept = this.#read(run, events);
    this.#offsets.set(run, kept?.offset ?? 0);
    return kept ?? this.empty(run);
  }

  /** Of a log that nothing has been read of. */
  empty(run: string): ReadHistory {
    return { history: new RunHistory(basename(run), new StepTable(this.#pathOf(run, 'steps'))), offset: 0 };
  }

  /** Keeps it where that is worth it. The rows first: what the other file does not count is written again. */
  keep(run: string, { history, offset }: ReadHistory, events: number): void {
    if (offset - (this.#offsets.get(run) ?? 0) < worthKeepingBytes) return;
    this.#offsets.set(run, offset);
    try {
      makeFolder(this.#folder);
      history.steps.flush();
      const kept: z.input<typeof keptSchema> = {
        version: 5,
        columns: [...columns],
        functions: [...history.steps.functions],
        offset,
        fingerprint: fingerprintOf(events, offset),
        rows: history.steps.length,
        checksums: [...history.steps.checksums()],
        history: history.kept,
      };
      replaceFile(this.#pathOf(run, 'json'), sealed(JSON.stringify(kept)), { sync: false });
    } catch (error) {
      this.#log(`what ${run} measured cannot be kept, and will be read again: ${(error as Error).message}`);
    }
  }

  /** Removes what is kept of runs that are no more. @param runs every run there is, by its path */
  retain(runs: readonly string[]): void {
    const names = new Set(runs.flatMap((run) => [this.#pathOf(run, 'json'), this.#pathOf(run, 'steps')]));
    if (!existsSync(this.#folder)) return;
    for (const name of readdirSync(this.#folder)) {
      const path = join(this.#folder, name);
      if (!names.has(path)) rmSync(path, { force: true });
    }
  }

  #read(run: string, events: number): ReadHistory | undefined {
    try {
      const kept = keptSchema.parse(JSON.parse(unsealed(readFileSync(this.#pathOf(run, 'json'), 'utf8'))));
      const path = this.#pathOf(run, 'steps');
      const steps = new StepTable(path, kept.rows, kept.functions);
      const isOfThisLog =
        kept.columns.join() === columns.join() &&
        kept.offset <= fstatSync(events).size &&
        kept.fingerprint === fingerprintOf(events, kept.offset) &&
        (kept.rows === 0 || statSync(path).size >= 8 * kept.rows * steps.width) &&
        isDeepStrictEqual(steps.checksums(), kept.checksums);
      if (!isOfThisLog) return undefined;
      return { history: new RunHistory(basename(run), steps, kept.history), offset: kept.offset };
    } catch {
      return undefined; // none, or one that is damaged: the log is read from its beginning
    }
  }

  #pathOf(run: string, kind: 'json' | 'steps'): string {
    return join(this.#folder, `${hashOf(run).slice(0, 32)}.${kind}`);
  }
}

/** @param folder of the agent's state */
export function historiesFolder(folder: string): string {
  return join(folder, 'runs');
}

function fingerprintOf(events: number, offset: number): string {
  const hash = createHash('sha256');
  for (const from of [0, Math.max(0, offset - comparedBytes)]) {
    const bytes = Buffer.alloc(Math.min(comparedBytes, offset - from));
    readSync(events, bytes, 0, bytes.length, from);
    hash.update(bytes);
  }
  return hash.digest('hex');
}

/** A text with its hash before it, so that no number in it can change unnoticed. */
const sealed = (text: string): string => `${sha256(text)}\n${text}`;

function unsealed(text: string): string {
  const end = text.indexOf('\n');
  const content = text.slice(end + 1);
  if (text.slice(0, end) !== sha256(content)) throw new Error('it is not as it was written');
  return content;
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
