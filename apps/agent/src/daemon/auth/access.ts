/**
 * Who may use the agent: browsers that were paired by a one-time code, each of a person with a role. Read anew for each
 * request, so that `anneal pair` can add a code to an agent that runs, and what is taken away is gone at once.
 */
import { UserError } from '@anneal/core/errors';
import type { Person } from '@anneal/core/protocol/people';
import { AccessFile } from './accessFile.ts';
import { People } from './people.ts';
import { hashOf, newToken, plainCode, sameHash } from './secrets.ts';

export const sessionLifeSeconds = 30 * 24 * 3600;

/** Wrong codes that are listened to within a minute, of everybody together. */
const attemptsPerMinute = 10;
/** Browsers of one person; with one more the oldest is forgotten. */
const mostBrowsers = 30;

/** Whoever has the agent's own token. */
export const tokenHolder: Person = { id: 'agent-token', name: 'agent token', role: 'admin', created: '' };

export class Access {
  readonly people: People;
  readonly #file: AccessFile;
  /** Of the token that `--token-file` gives, which opens the agent any number of times. */
  readonly #tokenHash: string | undefined;
  #failures: number[] = [];

  /** @param folder of this agent's own state */
  constructor(folder: string, token?: string) {
    this.#file = new AccessFile(folder);
    this.people = new People(this.#file);
    this.#tokenHash = token === undefined ? undefined : hashOf(token);
  }

  /** A code that pairs one browser of the agent's owner, within a quarter of an hour. */
  async newCode(): Promise<string> {
    return (await this.people.ownerCode()).code;
  }

  /**
   * Trades a code, or the agent's token, for a session's token.
   * @throws UserError `pairing_code_wrong`, `too_many_attempts`
   */
  async pair(typed: string, browser = ''): Promise<string> {
    const now = Date.now();
    this.#failures = this.#failures.filter((time) => time > now - 60_000);
    if (this.#failures.length >= attemptsPerMinute) {
      throw new UserError({
        what: 'too many wrong codes in the last minute',
        next: 'wait a minute, then try again',
        code: 'too_many_attempts',
      });
    }
    // A failure until it is none: others may come while the file is waited for.
    this.#failures.push(now);
    const code = this.isToken(typed.trim()) ? await this.newCode() : typed;
    const token = await this.#file.change((kept) => {
      const hash = hashOf(plainCode(code));
      const found = kept.codes.find((known) => sameHash(known.hash, hash));
      if (!found) return undefined;
      const made = newToken();
      kept.codes = kept.codes.filter((known) => known !== found);
      const theirs = kept.sessions
        .filter(({ person }) => person === found.person)
        .sort((a, b) => b.created - a.created);
      const tooOld = new Set(theirs.slice(mostBrowsers - 1));
      const until = now + sessionLifeSeconds * 1000;
      kept.sessions = kept.sessions.filter((session) => !tooOld.has(session));
      kept.sessions.push({ hash: hashOf(made), until, person: found.person, browser, created: now });
      return made;
    });
    if (token !== undefined) {
      this.#failures.splice(this.#failures.indexOf(now), 1);
      return token;
    }
    throw new UserError({
      what: 'this code is not valid: it was used already, is too old, or has a typing error',
      next: 'print a new link with `anneal pair`, on the machine where the agent runs and in the same folder, or ask an admin for one',
      code: 'pairing_code_wrong',
    });
  }

  /** Whose session it is; undefined where it does not hold. */
  personOf(session: string): Person | undefined {
    const hash = hashOf(session);
    const { sessions, people } = this.#file.read();
    const found = sessions.find((kept) => sameHash(kept.hash, hash));
    return found && people.find(({ id }) => id === found.person);
  }

  /** The first that holds of what a request brings. */
  sessionAmong(sessions: readonly string[]): string | undefined {
    return sessions.find((session) => this.personOf(session) !== undefined);
  }

  isToken(token: string): boolean {
    return this.#tokenHash !== undefined && sameHash(this.#tokenHash, hashOf(token));
  }

  endSession(token: string): Promise<void> {
    const hash = hashOf(token);
    return this.#file.change((kept) => {
      kept.sessions = kept.sessions.filter((session) => !sameHash(session.hash, hash));
    });
  }
}
