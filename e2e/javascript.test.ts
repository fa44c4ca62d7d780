/** How much JavaScript a browser loads before it shows a page, without what the page asks for later. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import { expect, it } from 'vitest';

const studio = join(import.meta.dirname, '..', 'apps', 'web', 'out');

/** Kilobytes, compressed as the agent sends them. */
const budget = 250;
const pages = ['index', 'run', 'compare', 'recipes', 'data', 'chat', 'models', 'host', 'settings', 'pair'];

function compressedBytes(page: string): number {
  const html = readFileSync(join(studio, `${page}.html`), 'utf8');
  const scripts = [...html.matchAll(/<script\b[^>]*\bsrc="([^"?]+)[^"]*"[^>]*>/g)]
    .filter(([tag]) => !/\bnoModule\b/i.test(tag))
    .map(([, path]) => (path as string).replace('/__anneal_base_path__', ''));
  expect(scripts.length).toBeGreaterThan(3);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 6 };
  return [...new Set(scripts)]
    .map((path) => brotliCompressSync(readFileSync(join(studio, path)), { params }).length)
    .reduce((sum, bytes) => sum + bytes, 0);
}

it.each(pages)(`%s has at most ${budget} kB`, (page) => {
  expect(compressedBytes(page) / 1000).toBeLessThan(budget);
});
