/** Who asks over HTTP, and what they may do. */
import type { IncomingHttpHeaders } from 'node:http';
import { type Area, type Role, reaches, roleOf } from '@anneal/core/protocol/roles';
import { sessionsIn } from '../cookies.ts';
import { type Access, tokenHolder } from './access.ts';
import { type ApiTokens, holderName } from './apiTokens.ts';
import { hashOf } from './secrets.ts';

export interface Caller {
  /** The same for all requests of one session or token; tells nothing of the secret. */
  key: string;
  /** For the audit. */
  name: string;
  may(area: Area): boolean;
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
    if (bearer !== undefined) return this.#ofToken(bearer, changes) ?? this.#refuse();
    const session = this.#access.sessionAmong(sessionsIn(cookie, this.#agentId));
    const person = session === undefined ? undefined : this.#access.personOf(session);
    if (session === undefined || (changes && origin === undefined) || !person) return 'unknown';
    return {
      key: `session ${hashOf(session)}`,
      may: () => roleMay(person.role, changes),
      name: person.name,
    };
  }

  #ofToken(secret: string, changes: boolean): Caller | undefined {
    if (this.#access.isToken(secret)) return { key: 'agent', name: tokenHolder.name, may: () => true };
    const token = this.#tokens.find(secret);
    if (!token) return undefined;
    const role = roleOf(token.scope);
    return {
      key: `token ${token.id}`,
      name: holderName(token),
      may: (area) => (role ? roleMay(role, changes) : token.scope === area),
    };
  }

  #refuse(): Refusal {
    const now = Date.now();
    this.#failures = this.#failures.filter((time) => time > now - 60_000);
    if (this.#failures.length >= attemptsPerMinute) return 'too_many_attempts';
    this.#failures.push(now);
    return 'unknown';
  }
}

/** Whoever has a role may look at everything, and change something from editor on. */
function roleMay(role: Role, changes: boolean): boolean {
  return reaches(role, changes ? 'editor' : 'viewer');
}
