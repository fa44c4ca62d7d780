import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Without letters and digits that look alike. 32 of them: five bits each. */
const alphabet = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';

/** A code that a person can read out: 10 letters, 50 bits. */
export function newCode(): string {
  return [...randomBytes(10)].map((byte) => alphabet[byte % alphabet.length]).join('');
}

/** As it was meant: without spaces and hyphens, in capitals. */
export function plainCode(typed: string): string {
  return typed.replace(/[\s-]+/g, '').toUpperCase();
}

/** 256 bits for a machine. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

/** What is kept of a secret. It has too many bits to be found by trying, so one round is enough. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** In a time that does not tell how far they agree. */
export function sameHash(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
