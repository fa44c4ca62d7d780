import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addressKeys, unknownParts } from './addressKeys.ts';

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
  expect(parts('/host', 'device=cpu')).toEqual(['device=cpu']);
  expect(parts('/no-such-page', 'a=b')).toEqual([]);
});

test('every key that a part of the studio reads of the address is known', () => {
  const known = new Set(Object.values(addressKeys).flatMap((keys) => Object.keys(keys)));
  const files = ['app', 'src'].flatMap((folder) =>
    readdirSync(join(web, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.tsx'))
      .map((name) => readFileSync(join(web, folder, name), 'utf8')),
  );
  const read = files.flatMap((source) => [
    ...[...source.matchAll(/useQueryState\('(\w+)'/g)].map(([, key]) => key),
    ...[...source.matchAll(/useQueryStates\(\s*\{([^}]*)\}/g)].flatMap(([, keys = '']) =>
      [...keys.matchAll(/(\w+): parseAs/g)].map(([, key]) => key),
    ),
  ]);
  expect(read.length).toBeGreaterThan(30);
  expect(read.filter((key) => !known.has(key ?? ''))).toEqual([]);
  const pages = readdirSync(join(web, 'app'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const paths = pages.map(({ name }) => `/${name}`).filter((path) => path !== '/pair');
  expect(paths.filter((path) => !Object.hasOwn(addressKeys, path))).toEqual([]);
});
