import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseRecipe } from '@anneal/core/recipe/read';
import { resolveRecipe } from '@anneal/core/recipe/resolve';
import { describe, expect, it } from 'vitest';
import { verbs } from '../apps/agent/src/verbs.ts';
import { temporaryFolder } from './testing/temporaryFolder.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const parts = '{docs,packages,apps,starter,bench,e2e,scripts,regression}';
const tree = { cwd: root, exclude: ['**/{node_modules,build,out,.next,results}/**'] };
const pages = globSync(['*.md', `${parts}/**/*.md`], tree);

/** As GitHub makes it of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .replace(/^#+ /, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');

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

  it.each(pages)('%s links to headings that are there', (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:)(?<target>[^)#]*)#(?<heading>[^)]+)\)/g)];
    const missing = links.filter(({ groups: { target, heading } = {} }) => {
      const headings = read(target ? join(dirname(page), target) : page).match(/^#+ .*$/gm) ?? [];
      return !headings.some((line) => anchorOf(line) === heading);
    });
    expect(missing.map(([link]) => link)).toEqual([]);
  });

  it.each(pages)('%s has lines of at most 120 characters, but for tables and links', (page) => {
    const long = read(page)
      .split('\n')
      .filter((line) => [...line].length > 120 && !/^(\||<!--|\[)/.test(line));
    expect(long).toEqual([]);
  });

  it.each(globSync(`${parts}/**/*.svg`, tree))('%s keeps the columns of its text', (picture) => {
    const stretched = [
      ...read(picture).matchAll(/<text\b(?=[^>]*\btextLength=)(?![^>]*\bxml:space=)[^>]*>([^]*?)<\/text>/g),
    ];
    // A browser makes one of several plain spaces, and stretches what is left.
    expect(stretched.map(([, text = '']) => text).filter((text) => text.replace(/<[^>]*>/g, '').includes(' '))).toEqual(
      [],
    );
  });

  it('is spelled as Americans do, sources included', () => {
    // The starter's rows and what is made of published text are data.
    const sources = globSync(`${parts}/**/*.{ts,tsx,mjs,h,cpp,cu,cuh}`, tree);
    const written = [...pages, ...sources].filter(
      (path) => !/(^|\/)starter\/|documentation\.test|realModel\//.test(path),
    );
    const british = new RegExp(
      '\\b(?:behaviour|favour|neighbour|honour|flavour|grey|centre|licence|learnt|labelled|signalled|modelled|catalogue|for ever\\b)' +
        '|\\b(?:penal|quant|normal|optim|initial|serial|token|organ|recogn|summar|minim|maxim)is(?:e|ed|es|ing|ation)\\b',
      'i',
    );
    expect(written.length).toBeGreaterThan(1000);
    expect(written.flatMap((path) => british.exec(read(path))?.[0].concat(` in ${path}`) ?? [])).toEqual([]);
  });

  it('shows a recipe in the README that can be trained as it stands', () => {
    const yaml = /```yaml\n(?<text>[\s\S]*?)```/.exec(read('README.md'))?.groups?.text ?? '';
    const folder = temporaryFolder('readme');
    writeFileSync(join(folder, 'rows.jsonl'), '');
    const { recipe } = parseRecipe(yaml, 'README.md');
    expect(resolveRecipe(recipe, { baseDirectory: folder }).base_model).toBe('smollm2-135m');
  });

  it('names every verb of the command line in the README', () => {
    const named = new Set([...read('README.md').matchAll(/`(?<verb>[a-z]+)`/g)].map(({ groups }) => groups?.verb));
    expect(verbs.map(({ name }) => name).filter((name) => !named.has(name))).toEqual([]);
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
