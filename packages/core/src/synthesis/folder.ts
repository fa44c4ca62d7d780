/** What a synthesis keeps beside its rows: the answers, what was rejected, and which output is its own. */
import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { replaceFile } from '@anneal/formats/files/atomicWrite';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { removeLeftovers } from '@anneal/formats/files/processOwner';
import { readSmallFile } from '@anneal/formats/files/randomAccess';
import { LIMITS } from '@anneal/formats/limits';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { sha256OfFile } from '../fileHash.ts';
import { lockOwner, ProcessLock } from '../processLock.ts';
import type { Rejected } from './candidates.ts';
import { Journal } from './journal.ts';

/** Hashes of the outputs that were written: the last one, and the one that may stand there if the process was killed. */
const writtenSchema = z.object({ sha256: z.array(z.string()) });

export const folderBeside = (output: string): string => output.replace(/\.jsonl$/i, '.synthesis');

export class SynthesisFolder {
  readonly output: string;
  readonly path: string;

  constructor(output: string) {
    this.output = output;
    this.path = folderBeside(output);
  }

  get rejectedFile(): string {
    return join(this.path, 'rejected.jsonl');
  }

  get hasAnswers(): boolean {
    return existsSync(this.#journal);
  }

  openJournal(): Journal {
    makeFolder(this.path);
    return Journal.open(this.#journal);
  }

  /** @throws UserError `synthesis_busy` */
  lock(): ProcessLock {
    makeFolder(this.path);
    const path = join(this.path, 'lock');
    const lock = ProcessLock.tryAcquire(path);
    if (lock) return lock;
    const owner = lockOwner(path);
    throw new UserError({
      what: `another process makes these rows${owner ? `: ${owner.pid} on ${owner.host}` : ''}`,
      where: this.output,
      next: 'wait for its end, or name another output',
      code: 'synthesis_busy',
    });
  }

  /** @throws UserError `output_exists` for an output that somebody else has written or changed */
  async refuseForeignOutput(): Promise<void> {
    if (!existsSync(this.output) || this.#written().includes(await sha256OfFile(this.output))) return;
    throw new UserError({
      what: 'there is a file of this name that this synthesis has not written, or that was changed since',
      where: this.output,
      next: 'name another output, move the file away, or give --overwrite',
      code: 'output_exists',
    });
  }

  /** Both files appear whole. Without rows no output is written, and one that is there stays. */
  async write(rows: readonly object[], rejected: readonly Rejected[]): Promise<void> {
    for (const path of [this.output, this.rejectedFile, this.#writtenFile]) removeLeftovers(path);
    if (rejected.length > 0) replaceFile(this.rejectedFile, linesOf(rejected), { sync: true });
    else rmSync(this.rejectedFile, { force: true });
    if (rows.length === 0) return;
    const text = linesOf(rows);
    const before = existsSync(this.output) ? [await sha256OfFile(this.output)] : [];
    const sha256 = createHash('sha256').update(text).digest('hex');
    replaceFile(this.#writtenFile, JSON.stringify({ sha256: [...before, sha256] }), { sync: true });
    makeFolder(dirname(this.output));
    replaceFile(this.output, text, { sync: true });
  }

  get #journal(): string {
    return join(this.path, 'answers.jsonl');
  }

  get #writtenFile(): string {
    return join(this.path, 'written.json');
  }

  #written(): readonly string[] {
    if (!existsSync(this.#writtenFile)) return [];
    try {
      const text = Buffer.from(readSmallFile(this.#writtenFile, LIMITS.configBytes)).toString();
      return writtenSchema.parse(JSON.parse(text)).sha256;
    } catch {
      return []; // then the output counts as somebody else's
    }
  }
}

const linesOf = (values: readonly object[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');
