/**
 * Secrets of others that the agent uses for its people, such as a token of a hub. They lie sealed in one file of the agent's folder,
 * and the key in another: a copy of the first alone tells nothing. docs/security.md says against whom that helps.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { type SecretName, secretNames, secretVariables } from '@anneal/core/protocol/secretNames';
import {
  type ListedSecret,
  type SetSecretRequest,
  secretNameSchema,
  setSecretRequest,
} from '@anneal/core/protocol/secrets';
import { replaceFile } from '@anneal/formats/files/atomicWrite';
import { z } from 'zod';
import type { Context } from '../../service/context.ts';
import { parseRequest } from '../../service/parseRequest.ts';
import { underLock } from '../../service/underLock.ts';
import { damaged, endingOf, Sealing } from './sealing.ts';

const keptSchema = z.object({
  version: z.literal(1),
  secrets: z.partialRecord(
    secretNameSchema,
    z.object({
      /** Together with its name, so that none can take the place of another. */
      sealed: z.string(),
      ending: z.string(),
      set: z.string(),
      by: z.string().nullable(),
    }),
  ),
});
type Kept = z.infer<typeof keptSchema>;

export class SecretStore {
  readonly #path: string;
  readonly #sealing: Sealing;

  /** @param folder of the agent's own state */
  constructor(folder: string) {
    this.#path = join(folder, 'secrets.json');
    this.#sealing = new Sealing(folder);
  }

  /** What there is, without the secrets. @throws UserError `secrets_damaged` */
  list(): ListedSecret[] {
    const { secrets } = this.#read();
    return secretNames.map((name) => {
      const kept = secrets[name];
      const given = inEnvironment(name);
      const from = given !== undefined ? 'environment' : kept ? 'kept' : null;
      const ending = given !== undefined ? endingOf(given) : (kept?.ending ?? null);
      return { name, from, ending, set: kept?.set ?? null, by: kept?.by ?? null };
    });
  }

  /** Replaces one that is there. @param by null on the command line @throws UserError `bad_request`, `secrets_damaged` */
  async set(request: SetSecretRequest, by: string | null): Promise<void> {
    const { name, secret } = parseRequest(setSecretRequest, request);
    await this.#change(({ secrets }) => {
      const set = new Date().toISOString();
      secrets[name] = { sealed: this.#sealing.seal(secret, name), ending: endingOf(secret), set, by };
    });
  }

  /** @throws UserError `secret_not_found`, `secrets_damaged` */
  remove(name: SecretName): Promise<void> {
    return this.#change(({ secrets }) => {
      if (!secrets[name]) throw notFound(name);
      delete secrets[name];
    });
  }

  /** To be used: what the environment has comes first, as with the hubs' own tools. @throws UserError `secrets_damaged` */
  open(): NonNullable<Context['secrets']> {
    const { secrets } = this.#read();
    const given = secretsInEnvironment();
    const kept = secretNames.flatMap((name) => {
      const { sealed } = secrets[name] ?? {};
      return sealed === undefined || given[name] !== undefined
        ? []
        : [[name, this.#sealing.unseal(sealed, name, this.#path)]];
    });
    return { ...Object.fromEntries(kept), ...given };
  }

  #read(): Kept {
    if (!existsSync(this.#path)) return { version: 1, secrets: {} };
    const kept = keptSchema.safeParse(jsonOf(readFileSync(this.#path, 'utf8')));
    if (kept.success) return kept.data;
    throw damaged(this.#path, 'the file of secrets cannot be read');
  }

  #change(change: (kept: Kept) => void): Promise<void> {
    return underLock(this.#path, () => {
      const kept = this.#read();
      change(kept);
      replaceFile(this.#path, `${JSON.stringify(kept, null, 2)}\n`, { sync: true, mode: 0o600 });
    });
  }
}

export function secretsInEnvironment(): NonNullable<Context['secrets']> {
  return Object.fromEntries(
    secretNames.flatMap((name) => {
      const secret = inEnvironment(name);
      return secret === undefined ? [] : [[name, secret]];
    }),
  );
}

function inEnvironment(name: SecretName): string | undefined {
  return process.env[secretVariables[name]] || undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function notFound(name: SecretName): UserError {
  return new UserError({
    what: 'no such secret is kept',
    where: name,
    next: 'see what there is with `anneal secrets list`',
    code: 'secret_not_found',
  });
}
