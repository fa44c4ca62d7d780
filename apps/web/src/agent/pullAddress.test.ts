import { expect, test } from 'vitest';
import { pullAddress } from './pullAddress.ts';

test('a download is asked for with all that a recipe says of it', () => {
  expect(pullAddress({ model: 'smollm2-135m' })).toBe('/models?pull=smollm2-135m');
  expect(pullAddress({ model: 'a/b', revision: 'v1 & 2' })).toBe('/models?pull=a%2Fb&revision=v1+%26+2');
  const data = { name: 'en', split: 'test', files: ['x/*.json', 'y.json'] };
  expect(Object.fromEntries(new URL(pullAddress({ model: 'a/b', data }), 'http://h').searchParams)).toEqual({
    pull: 'a/b',
    name: 'en',
    split: 'test',
    files: 'x/*.json, y.json',
  });
  expect(pullAddress({ model: 'a/b', data: {} })).toBe('/data?pull=a%2Fb');
});
