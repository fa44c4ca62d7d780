import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { addressKeys, unknownParts } from './addressKeys.ts';
import { pullKeys } from './pullAddress.ts';

const web = join(import.meta.dirname, '..', '..');
const parts = (path: string, query: string) => unknownParts(path, new URLSearchParams(query)).map(({ part }) => part);

test('what a screen does not know is told, and nothing else', () => {
  expect(parts('/data', 'verdict=kept&row=3&q=&recipe=a')).toEqual([]);
  expect(parts('/data', 'verdict=nice&row=three&kind=odd&toString')).toEqual([
    'verdict=nice',
    'row=three',
    'kind=odd',
    'toString',
  ]);
  expect(parts('/run', 'id=a&tab=exports&x=tokens&smoothing=0.9&from=1&to=9&step=4&document=0&token=2')).toEqual([]);
  expect(parts('/run', 'tab=exprots&x=hours&smoothing=much&check=maybe')).toHaveLength(4);
  expect(parts('/data', 'row=2.5&token=-1&length=1e3')).toEqual(['row=2.5', 'token=-1', 'length=1e3']);
  expect(parts('/host', 'device=cpu')).toEqual(['device=cpu']);
  expect(parts('/no-such-page', 'a=b')).toEqual([]);
});

/** What a module and all it imports, some of it later, reads of the address. */
function keysOf(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path) || !/\.tsx?$/.test(path)) return new Set();
  seen.add(path);
  const source = readFileSync(path, 'utf8');
  const own = [
    ...[...source.matchAll(/useQueryState\('(\w+)'/g)].map(([, key = '']) => key),
    ...(path.endsWith('pullAddress.ts') ? [] : [...source.matchAll(/(\w+): parseAs/g)]).map(([, key = '']) => key),
    ...(/useQueryStates\([^)]*\bpullKeys\b/.test(source) ? Object.keys(pullKeys) : []),
  ];
  const imported = [...source.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].flatMap(([, name = '']) => [
    ...keysOf(join(dirname(path), name), seen),
  ]);
  return new Set([...own, ...imported]);
}

const pages = ['/', ...folders(join(web, 'app')).map((name) => `/${name}`)].filter((path) => path !== '/pair');

function folders(path: string): string[] {
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

test.each(pages)('of %s every key that it reads is known, and no other', (page) => {
  // Of the list itself nothing is read.
  const seen = new Set([join(web, 'src/agent/addressKeys.ts')]);
  const read = keysOf(join(web, 'app', page, 'page.tsx'), seen);
  expect(Object.keys(addressKeys[page] ?? {}).sort()).toEqual([...read].sort());
});
