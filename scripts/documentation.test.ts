import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseRecipe } from '@anneal/core/recipe/read';
import { resolveRecipe } from '@anneal/core/recipe/resolve';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const pages = globSync(['*.md', 'docs/**/*.md', 'packages/*/*.md'], { cwd: root });

describe('documentation', () => {
  it.each(pages)('%s links to files that are there', (page) => {
    const links = [...read(page).matchAll(/\]\((?<target>[^)#]+)(?:#[^)]*)?\)/g)].map(
      (match) => match.groups?.target ?? '',
    );
    const missing = links
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => !existsSync(join(root, dirname(page), target)));
    expect(missing).toEqual([]);
  });

  it.each(pages)('%s has lines of at most 120 characters, but for tables and links', (page) => {
    const long = read(page)
      .split('\n')
      .filter((line) => [...line].length > 120 && !/^(\||<!--|\[)/.test(line));
    expect(long).toEqual([]);
  });

  it('shows a recipe in the README that can be trained as it stands', () => {
    const yaml = /```yaml\n(?<text>[\s\S]*?)```/.exec(read('README.md'))?.groups?.text ?? '';
    const folder = mkdtempSync(join(tmpdir(), 'anneal-readme-'));
    writeFileSync(join(folder, 'rows.jsonl'), '');
    const { recipe } = parseRecipe(yaml, 'README.md');
    expect(resolveRecipe(recipe, { baseDirectory: folder }).base_model).toBe('smollm2-135m');
    rmSync(folder, { recursive: true });
  });

  it('names every script of package.json that a contributor is told to run', () => {
    const { scripts } = JSON.parse(read('package.json'));
    const named = [...`${read('README.md')}${read('CONTRIBUTING.md')}`.matchAll(/`npm run ([\w-]+)/g)].map(
      ([, name]) => name,
    );
    expect(new Set(named).size).toBeGreaterThan(5);
    for (const name of named) expect(scripts).toHaveProperty(name as string);
  });
});
