/**
 * What is kept of a document between two agents: its history as Yjs has it, so that a browser which was away adds only
 * what is new. A document that is made anew from its file has another id, and no browser can mix the two.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '@anneal/formats/files/atomicWrite';
import { z } from 'zod';

export interface DocumentState {
  id: string;
  /** As Yjs encodes it. Its text is what the file held when it was last read or written. */
  update: Uint8Array;
  /** SHA-256 of that file. */
  written: string;
  /** SHA-256 of the file that `written` is replacing: if the file still is that one, it has to be written. */
  before: string | null;
}

const schema = z.object({
  version: z.literal(1),
  id: z.string().regex(/^[0-9a-f]{16}$/),
  update: z.base64(),
  written: z.string(),
  before: z.string().nullable(),
});

export const newDocumentId = (): string => randomBytes(8).toString('hex');

/** Undefined where there is none, or none that can be read: then the file is the beginning. */
export function readDocumentState(folder: string): DocumentState | undefined {
  try {
    const { version: _, update, ...rest } = schema.parse(JSON.parse(readFileSync(pathIn(folder), 'utf8')));
    return { ...rest, update: new Uint8Array(Buffer.from(update, 'base64')) };
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError) return undefined;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export function writeDocumentState(folder: string, { update, ...rest }: DocumentState, sync = false): void {
  const text = JSON.stringify({ version: 1, ...rest, update: Buffer.from(update).toString('base64') });
  replaceFile(pathIn(folder), `${text}\n`, { sync });
}

const pathIn = (folder: string): string => join(folder, 'document.json');
