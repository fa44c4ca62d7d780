/**
 * Who may use the agent: browsers that were paired by a one-time code. Codes and sessions are kept as hashes in a file
 * that only this user can read, so that a restarted agent knows its browsers, and `anneal pair` can add a code to one
 * that runs.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { replaceFile } from '@anneal/formats/files/atomicWrite';
import { z } from 'zod';
import { hashOf, newCode, newToken, plainCode, sameHash } from './secrets.ts';

const codeLifeMilliseconds = 15 * 60_000;
export const sessionLifeSeconds = 30 * 24 * 3600;

/** Wrong codes that are listened to within a minute, of everybody together. */
const attemptsPerMinute = 10;

const fileSchema = z.object({
  codes: z.array(z.object({ hash: z.string(), until: z.number() })),
  /** Times are milliseconds since 1970. */
  sessions: z.array(z.object({ hash: z.string(), until: z.number() })),
});
type Kept = z.infer<typeof fileSchema>;

export class Access {
  readonly #path: string;
  /** Of the token that `--token-file` gives, which opens the agent any number of times. */
  readonly #tokenHash: string | undefined;
  #failures: number[] = [];

  /** @param folder of this agent's own state */
  constructor(folder: string, token?: string) {
    this.#path = join(folder, 'access.json');
    this.#tokenHash = token === undefined ? undefined : hashOf(token);
  }

  /** A code that pairs one browser, within a quarter of an hour. */
  newCode(): string {
    const code = newCode();
    const kept = this.#read();
    kept.codes.push({ hash: hashOf(code), until: Date.now() + codeLifeMilliseconds });
    this.#write(kept);
    return code;
  }

  /**
   * Trades a code, or the token, for a session's token.
   * @throws UserError `pairing_code_wrong`, `too_many_attempts`
   */
  pair(typed: string): string {
    const now = Date.now();
    this.#failures = this.#failures.filter((time) => time > now - 60_000);
    if (this.#failures.length >= attemptsPerMinute) {
      throw new UserError({
        what: 'too many wrong codes in the last minute',
        next: 'wait a minute, then try again',
        code: 'too_many_attempts',
      });
    }
    const kept = this.#read();
    const hash = hashOf(plainCode(typed));
    const found = kept.codes.find((code) => sameHash(code.hash, hash));
    if (!found && !this.isToken(typed.trim())) {
      this.#failures.push(now);
      throw new UserError({
        what: 'this code is not valid: it was used already, is older than 15 minutes, or has a typing error',
        next: 'print a new link with `anneal pair`, on the machine where the agent runs and in the same folder',
        code: 'pairing_code_wrong',
      });
    }
    const token = newToken();
    kept.codes = kept.codes.filter((code) => code !== found);
    kept.sessions.push({ hash: hashOf(token), until: now + sessionLifeSeconds * 1000 });
    this.#write(kept);
    return token;
  }

  hasSession(token: string): boolean {
    const hash = hashOf(token);
    return this.#read().sessions.some((session) => sameHash(session.hash, hash));
  }

  isToken(token: string): boolean {
    return this.#tokenHash !== undefined && sameHash(this.#tokenHash, hashOf(token));
  }

  endSession(token: string): void {
    const hash = hashOf(token);
    const kept = this.#read();
    kept.sessions = kept.sessions.filter((session) => !sameHash(session.hash, hash));
    this.#write(kept);
  }

  /** What still holds. Read each time: `anneal pair` writes it, too. */
  #read(): Kept {
    const kept = this.#readFile();
    const now = Date.now();
    return {
      codes: kept.codes.filter(({ until }) => until > now),
      sessions: kept.sessions.filter(({ until }) => until > now),
    };
  }

  #readFile(): Kept {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { codes: [], sessions: [] };
      throw error;
    }
    const kept = fileSchema.safeParse(parsed(text));
    if (kept.success) return kept.data;
    throw new UserError({
      what: 'the list of paired browsers is damaged',
      where: this.#path,
      next: 'delete the file, then pair the browsers again',
      code: 'access_file_damaged',
    });
  }

  #write(kept: Kept): void {
    replaceFile(this.#path, `${JSON.stringify(kept, null, 2)}\n`, { sync: true });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
