/** Texts that lie sealed (AES-256-GCM) on the disk, each bound to what it is for. Their key lies in a file beside them. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { createFile } from '@anneal/formats/files/atomicWrite';

const keyBytes = 32;
/** As GCM is made for. */
const nonceBytes = 12;
const tagBytes = 16;

export class Sealing {
  readonly #keyPath: string;

  /** @param folder of the agent's own state */
  constructor(folder: string) {
    this.#keyPath = join(folder, 'secrets.key');
  }

  /** Nonce, tag and ciphertext in Base64. @param purpose without which it cannot be opened again */
  seal(text: string, purpose: string): string {
    const nonce = randomBytes(nonceBytes);
    const sealing = createCipheriv('aes-256-gcm', this.#key(), nonce).setAAD(Buffer.from(purpose));
    const sealed = Buffer.concat([sealing.update(text), sealing.final()]);
    return Buffer.concat([nonce, sealing.getAuthTag(), sealed]).toString('base64');
  }

  /** @param file where it lies @throws UserError `secrets_damaged` */
  unseal(sealed: string, purpose: string, file: string): string {
    if (!existsSync(this.#keyPath)) throw damaged(this.#keyPath, 'the key of the secrets is gone');
    const bytes = Buffer.from(sealed, 'base64');
    const key = this.#key();
    try {
      const opening = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes));
      opening.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
      const parts = [opening.update(bytes.subarray(nonceBytes + tagBytes)), opening.final()];
      return Buffer.concat(parts).toString();
    } catch {
      throw damaged(file, `the secret ${purpose} cannot be opened with the key beside it`);
    }
  }

  /** Made with the first secret. */
  #key(): Buffer {
    if (!existsSync(this.#keyPath)) createFile(this.#keyPath, randomBytes(keyBytes), { sync: true, mode: 0o600 });
    const key = readFileSync(this.#keyPath);
    if (key.length === keyBytes) return key;
    throw damaged(this.#keyPath, 'the key of the secrets is damaged');
  }
}

/** The last four characters: what is told of a secret. */
export const endingOf = (secret: string): string => secret.slice(-4);

export function damaged(where: string, what: string): UserError {
  return new UserError({
    what,
    where,
    next: 'delete secrets.json and endpoints.json there, then set them again',
    code: 'secrets_damaged',
  });
}
