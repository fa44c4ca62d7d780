/** Tokens for programs: made and revoked on the command line, kept as hashes in a file that only this user can read. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { Person } from '@anneal/core/protocol/people';
import { roleOf, type Scope, scopes } from '@anneal/core/protocol/roles';
import { replaceFile } from '@anneal/formats/files/atomicWrite';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { z } from 'zod';
import { underLock } from '../../service/underLock.ts';
import { hashOf, newToken, sameHash } from './secrets.ts';

const prefix = 'anneal_';
const mostTokens = 1000;

const tokenSchema = z.object({
  /** The first letters of the hash: names it to people. */
  id: z.string(),
  name: z.string(),
  scope: z.enum(scopes),
  hash: z.string(),
  created: z.string(),
});
type KeptToken = z.infer<typeof tokenSchema>;
export type ApiToken = Omit<KeptToken, 'hash'>;

export class ApiTokens {
  readonly #path: string;
  /** By their hashes: of this process alone, and never on the disk. */
  readonly #lent = new Map<string, ApiToken>();

  /** @param folder of the agent's own state */
  constructor(folder: string) {
    this.#path = join(folder, 'auth', 'tokens.json');
    makeFolder(join(folder, 'auth'));
  }

  /** The secret is told here, once. @throws UserError `too_many_tokens` */
  create(name: string, scope: Scope): Promise<ApiToken & { token: string }> {
    return underLock(this.#path, () => this.#create(name, scope));
  }

  /** For what the agent itself does by its own API, until it is given back. */
  lend(name: string, scope: Scope): { token: string; end: () => void } {
    const token = `${prefix}${newToken()}`;
    const hash = hashOf(token);
    this.#lent.set(hash, { id: hash.slice(0, 8), name, scope, created: new Date().toISOString() });
    return { token, end: () => this.#lent.delete(hash) };
  }

  list(): ApiToken[] {
    return this.#read().map(shown);
  }

  /** @param options with which a command names this folder; @throws UserError `token_not_found` */
  revoke(id: string, options = ''): Promise<ApiToken> {
    return underLock(this.#path, () => this.#revoke(id, options));
  }

  /** The token that this secret is. Read each time: the command line writes the file, too. */
  find(secret: string): ApiToken | undefined {
    if (!secret.startsWith(prefix)) return undefined;
    const hash = hashOf(secret);
    return this.#lent.get(hash) ?? this.#read().find((token) => sameHash(token.hash, hash));
  }

  /** Who comes with this secret; undefined where it is none with a role. */
  personOf(secret: string): Person | undefined {
    const token = this.find(secret);
    const role = token && roleOf(token.scope);
    return role && { id: `token-${token.id}`, name: holderName(token), role, created: token.created };
  }

  #create(name: string, scope: Scope): ApiToken & { token: string } {
    const kept = this.#read();
    if (kept.length >= mostTokens) {
      throw new UserError({
        what: `there are ${mostTokens} tokens already`,
        where: this.#path,
        next: 'revoke those that nobody uses: anneal token list',
        code: 'too_many_tokens',
      });
    }
    const token = `${prefix}${newToken()}`;
    const hash = hashOf(token);
    const made = { id: hash.slice(0, 8), name, scope, created: new Date().toISOString() };
    this.#write([...kept, { ...made, hash }]);
    return { ...made, token };
  }

  #revoke(id: string, options: string): ApiToken {
    const kept = this.#read();
    const found = kept.find((token) => token.id === id);
    if (!found) {
      const named = kept.find(({ name }) => name === id);
      throw new UserError({
        what: 'there is no token with this id',
        where: id,
        next: named
          ? `a token of this name has the id ${named.id}: anneal token revoke ${named.id}${options}`
          : kept.length === 0
            ? `the agent of this folder has no tokens: name the folder that it serves with --folder`
            : `look at those there are: anneal token list${options}`,
        code: 'token_not_found',
      });
    }
    this.#write(kept.filter((token) => token !== found));
    return shown(found);
  }

  #read(): KeptToken[] {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    try {
      return z.array(tokenSchema).parse(JSON.parse(text));
    } catch {
      throw new UserError({
        what: 'the list of API tokens is damaged',
        where: this.#path,
        next: 'delete the file, then make the tokens anew: anneal token create',
        code: 'token_file_damaged',
      });
    }
  }

  #write(kept: readonly KeptToken[]): void {
    replaceFile(this.#path, `${JSON.stringify(kept, null, 2)}\n`, { sync: true });
  }
}

/** What the audit and others call a program. */
export function holderName({ name }: Pick<ApiToken, 'name'>): string {
  return `token ${name}`;
}

function shown({ id, name, scope, created }: KeptToken): ApiToken {
  return { id, name, scope, created };
}
