/**
 * Secrets of others that the agent uses for its people, such as a token of a hub. They lie sealed (AES-256-GCM) in one file of the
 * agent's folder, and the key in another: a copy of the first alone tells nothing. docs/security.md says against whom that helps.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
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

const keyBytes = 32;
/** As GCM is made for. */
const nonceBytes = 12;
const tagBytes = 16;

const keptSchema = z.object({
  version: z.literal(1),
  secrets: z.partialRecord(
    secretNameSchema,
    z.object({
      /** Nonce, tag and ciphertext in Base64; sealed together with its name, so that none can take the place of another. */
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
  readonly #keyPath: string;

  /** @param folder of the agent's own state */
  constructor(folder: string) {
    this.#path = join(folder, 'secrets.json');
    this.#keyPath = join(folder, 'secrets.key');
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
  set(request: SetSecretRequest, by: string | null): void {
    const { name, secret } = parseRequest(setSecretRequest, request);
    this.#change(({ secrets }) => {
      const set = new Date().toISOString();
      secrets[name] = { sealed: seal(secret, name, this.#key()), ending: endingOf(secret), set, by };
    });
  }

  /** @throws UserError `secret_not_found`, `secrets_damaged` */
  remove(name: SecretName): void {
    this.#change(({ secrets }) => {
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
      return sealed === undefined || given[name] !== undefined ? [] : [[name, this.#unseal(sealed, name)]];
    });
    return { ...Object.fromEntries(kept), ...given };
  }

  #read(): Kept {
    if (!existsSync(this.#path)) return { version: 1, secrets: {} };
    const kept = keptSchema.safeParse(jsonOf(readFileSync(this.#path, 'utf8')));
    if (kept.success) return kept.data;
    throw damaged(this.#path, 'the file of secrets cannot be read');
  }

  #change(change: (kept: Kept) => void): void {
    underLock(this.#path, () => {
      const kept = this.#read();
      change(kept);
      replaceFile(this.#path, `${JSON.stringify(kept, null, 2)}\n`, { sync: true, mode: 0o600 });
    });
  }

  /** Made with the first secret, under the lock of the file. */
  #key(): Buffer {
    if (!existsSync(this.#keyPath)) replaceFile(this.#keyPath, randomBytes(keyBytes), { sync: true, mode: 0o600 });
    const key = readFileSync(this.#keyPath);
    if (key.length === keyBytes) return key;
    throw damaged(this.#keyPath, 'the key of the secrets is damaged');
  }

  #unseal(sealed: string, name: SecretName): string {
    if (!existsSync(this.#keyPath)) throw damaged(this.#keyPath, 'the key of the secrets is gone');
    const bytes = Buffer.from(sealed, 'base64');
    try {
      const opening = createDecipheriv('aes-256-gcm', this.#key(), bytes.subarray(0, nonceBytes));
      opening.setAAD(Buffer.from(name)).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
      const parts = [opening.update(bytes.subarray(nonceBytes + tagBytes)), opening.final()];
      return Buffer.concat(parts).toString();
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw damaged(this.#path, `the secret ${name} cannot be opened with the key beside it`);
    }
  }
}

function seal(secret: string, name: SecretName, key: Buffer): string {
  const nonce = randomBytes(nonceBytes);
  const sealing = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name));
  const text = Buffer.concat([sealing.update(secret), sealing.final()]);
  return Buffer.concat([nonce, sealing.getAuthTag(), text]).toString('base64');
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

function endingOf(secret: string): string {
  return secret.slice(-4);
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

function damaged(where: string, what: string): UserError {
  return new UserError({
    what,
    where,
    next: 'delete secrets.json there, then set them again',
    code: 'secrets_damaged',
  });
}
