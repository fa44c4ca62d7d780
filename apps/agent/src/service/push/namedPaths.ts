/** Paths of this machine that files name in which models are described: everybody who gets the files sees them, and nobody can follow them. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, resolve, sep } from 'node:path';
import { readSmallFile } from '@anneal/formats/files/randomAccess';
import { parseJsonObject } from '@anneal/formats/json';
import { LIMITS } from '@anneal/formats/limits';

export interface NamedPath {
  readonly file: string;
  readonly key: string;
  readonly value: string;
}

/** Absolute, below the home folder, or from a folder on. A name of a hub is none. */
export function isPath(text: string): boolean {
  return /^([/~\\]|\.{1,2}[/\\]|[A-Za-z]:[/\\])/.test(text);
}

/** @throws UserError for a file that cannot be read, or is no JSON */
export function namedPathsIn(files: readonly string[]): NamedPath[] {
  const described = files.filter((file) => /^(adapter_|tokenizer_|generation_)?config\.json$/.test(basename(file)));
  return described.flatMap((file) =>
    Object.entries(parseJsonObject(readSmallFile(file, LIMITS.configBytes), file)).flatMap(([key, value]) =>
      typeof value === 'string' && isPath(value) && (key === 'base_model_name_or_path' || isHere(value))
        ? [{ file, key, value }]
        : [],
    ),
  );
}

/** A published model may name a path of the machine that it was made on, which says nothing of this one. */
function isHere(path: string): boolean {
  return dirname(path) !== path && (existsSync(path) || resolve(path).startsWith(homedir() + sep));
}
