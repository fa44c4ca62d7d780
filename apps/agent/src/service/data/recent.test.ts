import { expect, test } from 'vitest';
import { Recent } from './recent.ts';

test('what was asked for longest ago makes room, and is told', () => {
  const dropped: string[] = [];
  const recent = new Recent<string>(2, (value) => dropped.push(value));
  const ask = (key: string) => recent.get(key, () => `${key} ${dropped.length}`);
  expect([ask('a'), ask('b'), ask('a')]).toEqual(['a 0', 'b 0', 'a 0']);
  expect(ask('c')).toBe('c 0');
  expect(dropped).toEqual(['b 0']);
  expect(recent.values).toEqual(['a 0', 'c 0']);
  expect(ask('b')).toBe('b 1');
});

test('a value is forgotten only where it is still the one of its key', () => {
  const recent = new Recent<object>(2);
  const [first, second] = [{}, {}];
  recent.get('a', () => first);
  recent.forget('a', second);
  expect(recent.get('a', () => second)).toBe(first);
  recent.forget('a', first);
  expect(recent.get('a', () => second)).toBe(second);
});
