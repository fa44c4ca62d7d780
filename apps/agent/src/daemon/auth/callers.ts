/** Who asks over HTTP, and what they may do. */
import type { IncomingHttpHeaders } from 'node:http';
import { reaches, type Scope } from '@anneal/core/protocol/roles';
import { sessionIn } from '../cookies.ts';
import { type Access, tokenHolder } from './access.ts';
import type { ApiTokens } from './apiTokens.ts';
import { hashOf } from './secrets.ts';

export interface Caller {
  /** The same for all requests of one session or token; tells nothing of the secret. */
  key: string;
  /** For the audit. */
  name: string;
  may(scope: Scope): boolean;
}

/** Wrong tokens that are answered as such within a minute, of everybody together; later ones are only told to wait. */
const attemptsPerMinute = 20;

export type Refusal = 'unknown' | 'too_many_attempts';

export class Callers {
  readonly #agentId: string;
  readonly #access: Access;
  readonly #tokens: ApiTokens;
  #failures: number[] = [];

  constructor(agentId: string, access: Access, tokens: ApiTokens) {
    this.#agentId = agentId;
    this.#access = access;
    this.#tokens = tokens;
  }

  /** A right token is never refused for the wrong ones of others. @param changes a page has to say where it comes from then */
  identify(
    { authorization, cookie, origin }: Pick<IncomingHttpHeaders, 'authorization' | 'cookie' | 'origin'>,
    { changes }: { changes: boolean },
  ): Caller | Refusal {
    const bearer = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1];
    if (bearer !== undefined) return this.#ofToken(bearer) ?? this.#refuse();
    const session = sessionIn(cookie, this.#agentId);
    const person = session === undefined ? undefined : this.#access.personOf(session);
    if (session === undefined || (changes && origin === undefined) || !person) return 'unknown';
    return {
      key: `session ${hashOf(session)}`,
      may: () => reaches(person.role, changes ? 'editor' : 'viewer'),
      name: person.name,
    };
  }

  #ofToken(secret: string): Caller | undefined {
    if (this.#access.isToken(secret)) return { key: 'agent', name: tokenHolder.name, may: () => true };
    const token = this.#tokens.find(secret);
    return token && { key: `token ${token.id}`, name: `token ${token.name}`, may: (scope) => token.scope === scope };
  }

  #refuse(): Refusal {
    const now = Date.now();
    this.#failures = this.#failures.filter((time) => time > now - 60_000);
    if (this.#failures.length >= attemptsPerMinute) return 'too_many_attempts';
    this.#failures.push(now);
    return 'unknown';
  }
}
