/** The versions of a recipe, each kept once under the SHA-256 of its text, and who made it when. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { type RecipeVersion, recipeVersionSchema } from '@anneal/core/protocol/recipes';
import { appendLine, replaceFile } from '@anneal/formats/files/atomicWrite';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { hashOf } from '../auth/secrets.ts';

const mostVersions = 200;
/** Without any of these, a version says nothing that the one before does not. */
const silent: ReadonlySet<RecipeVersion['why']> = new Set(['opened', 'edited', 'outside']);

export class RecipeHistory {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = join(folder, 'versions');
  }

  /** Newest first. */
  list(): RecipeVersion[] {
    return this.#read().toReversed();
  }

  get newest(): RecipeVersion | undefined {
    return this.#read().at(-1);
  }

  add(text: string, why: RecipeVersion['why'], by: readonly string[] = []): void {
    const sha256 = hashOf(text);
    const { newest } = this;
    if (newest?.sha256 === sha256 && (newest.why === why || silent.has(why))) return;
    makeFolder(this.#folder);
    if (!existsSync(this.#pathOf(sha256))) replaceFile(this.#pathOf(sha256), text, { sync: false });
    const version: RecipeVersion = { at: new Date().toISOString(), sha256, why, by: [...by] };
    appendLine(this.#listPath, JSON.stringify(version));
    this.#prune();
  }

  /** @throws UserError `version_not_found` */
  text(sha256: string): string {
    if (this.#read().some((version) => version.sha256 === sha256)) return readFileSync(this.#pathOf(sha256), 'utf8');
    throw new UserError({
      what: 'the history has no such version',
      where: sha256,
      next: `look at the list: the newest ${mostVersions} are kept`,
      code: 'version_not_found',
    });
  }

  #prune(): void {
    const versions = this.#read();
    if (versions.length <= mostVersions) return;
    const kept = versions.slice(-mostVersions);
    replaceFile(this.#listPath, kept.map((version) => `${JSON.stringify(version)}\n`).join(''), { sync: false });
    const needed = new Set(kept.map(({ sha256 }) => sha256));
    for (const { sha256 } of versions) if (!needed.has(sha256)) rmSync(this.#pathOf(sha256), { force: true });
  }

  /** A line that was cut off by a crash is none. */
  #read(): RecipeVersion[] {
    if (!existsSync(this.#listPath)) return [];
    return readFileSync(this.#listPath, 'utf8')
      .split('\n')
      .flatMap((line) => {
        try {
          return [recipeVersionSchema.parse(JSON.parse(line))];
        } catch {
          return [];
        }
      });
  }

  #pathOf(sha256: string): string {
    return join(this.#folder, `${sha256}.yaml`);
  }

  get #listPath(): string {
    return join(this.#folder, 'list.jsonl');
  }
}
