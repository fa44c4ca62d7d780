import { basename, dirname, relative, resolve } from 'node:path';
import { shellWord } from '@anneal/core/shellWord';

/** How to name the run in a command typed here: its id where runs lie by default, else its path. */
export function runReference(path: string): string {
  const name = dirname(resolve(path)) === resolve('runs') ? basename(path) : relative('.', path);
  return shellWord(name);
}
