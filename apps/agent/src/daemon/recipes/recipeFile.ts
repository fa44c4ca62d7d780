/** A recipe on the disk. In a document lines end with \n; the file keeps the ends that it has. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { UserError } from '@anneal/core/errors';
import { readText } from '@anneal/core/recipe/yamlText';
import { replaceFile } from '@anneal/formats/files/atomicWrite';
import { hashOf } from '../auth/secrets.ts';

/** A recipe that is edited has at most so many characters. The longest that people write have some thousands. */
export const mostCharacters = 256 << 10;

export interface FileContent {
  /** With \n at the ends of lines. */
  text: string;
  /** Of what the file holds. */
  sha256: string;
  lineEnd: '\n' | '\r\n';
}

/** Undefined where there is no file. @throws UserError `recipe_too_large`, `recipe_not_utf8`, `recipe_unreadable` */
export async function readRecipeFile(path: string): Promise<FileContent | undefined> {
  if (!existsSync(path)) return undefined;
  const written = await readText(path);
  if (written.length > mostCharacters) {
    throw new UserError({
      what: `the recipe has ${written.length} characters; at most ${mostCharacters} can be edited here`,
      where: path,
      next: 'look whether this file is a recipe and not data, or edit it with another editor',
      code: 'recipe_too_large',
    });
  }
  return {
    text: written.replaceAll(/\r\n?/g, '\n'),
    sha256: hashOf(written),
    lineEnd: /^[^\n]*\r\n/.test(written) ? '\r\n' : '\n',
  };
}

/** Another one after each change of the file; undefined where there is none. */
export async function stampOf(path: string): Promise<string | undefined> {
  try {
    const { mtimeNs, size, ino } = await stat(path, { bigint: true });
    return `${mtimeNs} ${size} ${ino}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** What the file holds when it has been written. */
export function contentOf(text: string, lineEnd: FileContent['lineEnd']): FileContent & { written: string } {
  const written = lineEnd === '\n' ? text : text.replaceAll('\n', lineEnd);
  return { text, lineEnd, written, sha256: hashOf(written) };
}

export function writeRecipeFile(path: string, written: string, sync: boolean): void {
  replaceFile(path, written, { sync });
}
