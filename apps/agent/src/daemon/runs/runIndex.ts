/**
 * What the list shows of runs that nobody writes, in the state of the agent: as long as their files are as they were, no log is
 * opened for it. Derived from the runs alone: removed, it is made again.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { alertSchema } from '@anneal/core/protocol/alerts';
import { noteSchema } from '@anneal/core/protocol/remarks';
import { statusSchema } from '@anneal/core/protocol/status';
import { z } from 'zod';

/** Another meaning of what is kept is another number. */
const version = 1;

const text = z.string().nullable();

const digestSchema = z.object({
  status: statusSchema,
  outline: z.array(z.number()),
  lowestEvaluationLoss: z.number().nullable(),
  said: z.object({ alerts: z.array(alertSchema), note: noteSchema.nullable(), tags: z.array(z.string()) }),
  recipe: z.object({
    baseModel: text,
    adapter: text,
    rl: text,
    device: text,
    seed: z.number().nullable(),
    family: text,
  }),
});
/** What a run's files add up to, in one line. */
export type RunDigest = z.infer<typeof digestSchema>;

export interface IndexedRun {
  /** Of its files: where they have this one still, the digest is theirs. */
  stamp: string;
  digest: RunDigest;
}

export class RunIndex {
  readonly #log: (text: string) => void;
  readonly #kept = new Map<string, IndexedRun>();
  #database: DatabaseSync | undefined;
  #write: StatementSync | undefined;
  #remove: StatementSync | undefined;

  /** @param path of `indexPath`, in a folder whose lock the caller holds. @param log is told what cannot be kept */
  constructor(path: string, log: (text: string) => void) {
    this.#log = log;
    try {
      this.#open(path);
    } catch (error) {
      if (!isDamage(error)) {
        this.#giveUp(error);
        return;
      }
      log(`the index of runs is damaged, and is made again: ${path}`);
      this.close();
      this.#kept.clear();
      this.#attempt(() => {
        removeIndex(path);
        this.#open(path);
      });
    }
  }

  /** What was kept of a run when it was last seen. */
  get(run: string): IndexedRun | undefined {
    return this.#kept.get(run);
  }

  keep(run: string, indexed: IndexedRun): void {
    this.#kept.set(run, indexed);
    this.#attempt(() => this.#write?.run(run, indexed.stamp, JSON.stringify(indexed.digest)));
  }

  /** Removes what is kept of runs that are no more. @param runs every run there is, by its path */
  retain(runs: ReadonlySet<string>): void {
    for (const run of this.#kept.keys()) {
      if (runs.has(run)) continue;
      this.#kept.delete(run);
      this.#attempt(() => this.#remove?.run(run));
    }
  }

  close(): void {
    this.#database?.close();
    this.#database = undefined;
    this.#write = undefined;
    this.#remove = undefined;
  }

  #open(path: string): void {
    const database = new DatabaseSync(path);
    this.#database = database;
    // One agent has the folder. What a crash of the machine takes is read again.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    // Its rows can be read where what finds them cannot: then it could not be written, start after start.
    const [found] = database.prepare('PRAGMA integrity_check(1)').all() as [{ integrity_check: string }];
    if (found.integrity_check !== 'ok') throw new Malformed(found.integrity_check);
    const [kept] = database.prepare('PRAGMA user_version').all() as [{ user_version: number }];
    if (kept.user_version !== version) database.exec(`DROP TABLE IF EXISTS runs; PRAGMA user_version = ${version}`);
    database.exec(
      'CREATE TABLE IF NOT EXISTS runs (run TEXT PRIMARY KEY, stamp TEXT NOT NULL, digest TEXT NOT NULL) STRICT',
    );
    for (const row of database.prepare('SELECT run, stamp, digest FROM runs').iterate()) {
      const { run, stamp, digest } = row as Record<'run' | 'stamp' | 'digest', string>;
      this.#kept.set(run, { stamp, digest: digestSchema.parse(JSON.parse(digest)) });
    }
    this.#write = database.prepare('INSERT OR REPLACE INTO runs (run, stamp, digest) VALUES (?, ?, ?)');
    this.#remove = database.prepare('DELETE FROM runs WHERE run = ?');
  }

  /** An agent goes on without what is on the disk: what it would say is read from the runs. */
  #attempt(change: () => void): void {
    try {
      change();
    } catch (error) {
      this.#giveUp(error);
    }
  }

  #giveUp(error: unknown): void {
    this.#log(
      `the index of runs cannot be kept, and an agent that starts reads them again: ${(error as Error).message}`,
    );
    this.close();
  }
}

/** @param folder of the agent's state */
export function indexPath(folder: string): string {
  return join(folder, 'runs.sqlite');
}

/** @param path of an index that nobody has open */
export function removeIndex(path: string): void {
  for (const end of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${end}`, { force: true });
}

/** Of SQLite: a file that is none of its own, not as it wrote it, or without our table; else a row that is not as we wrote it. */
function isDamage(error: unknown): boolean {
  const { errcode } = error as { errcode?: number };
  const [noSuchTable, corrupt, notADatabase] = [1, 11, 26];
  // What is above these bits says more of the same.
  const isOfFile = errcode !== undefined && [noSuchTable, corrupt, notADatabase].includes(errcode & 0xff);
  return isOfFile || error instanceof z.ZodError || error instanceof SyntaxError || error instanceof Malformed;
}

class Malformed extends Error {}
