import { TemplateError } from './errors.ts';
import { charge } from './meter.ts';
import type { Value } from './values.ts';

/** What Python iterates over besides lists, tuples and texts; `generator` is also what reading uses up otherwise. */
export type IterableKind = 'range' | 'dict_keys' | 'dict_values' | 'dict_items' | 'generator';

/** A list to whatever goes through it, and none to whatever prints, adds, indexes or compares lists. */
class Iterable extends Array<Value> {
  kind: IterableKind = 'generator';
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}

export function iterable(kind: IterableKind, items: readonly Value[]): readonly Value[] {
  const made = Iterable.from(items) as Iterable;
  made.kind = kind;
  return made;
}

/** Null for a list, a tuple, and all that is none. */
export const iterableKind = (value: Value): IterableKind | null => (value instanceof Iterable ? value.kind : null);

/** The next `count` items. A generator gives each of them once. */
export function taken(list: readonly Value[], count = list.length): readonly Value[] {
  if (iterableKind(list) !== 'generator') return list.slice(0, count);
  charge(list.length); // which V8 moves one by one
  return (list as Value[]).splice(0, count);
}

/** Python prints where such a thing lies in memory, or its name around the items: nobody means that. */
export function refusePrinted(what: string, next: string): never {
  throw new TemplateError(`the template prints a ${what}, of which Python prints no more than what it is: ${next}`);
}
