import type { Given } from './arguments.ts';
import { TemplateError } from './errors.ts';
import { iterable } from './iterables.ts';
import { allocate, charge, chargeKey, chargeList } from './meter.ts';
import { arithmetic, compareTexts, entriesOf, getItem, iterate } from './operators.ts';
import { lower, pieces } from './strings.ts';
import { testNamed } from './tests.ts';
import { type Dict, equal, isString, numeric, str, truthy, typeName, Undefined, type Value } from './values.ts';

/** Filters that choose or map take None for nothing. */
export function chosenFrom(value: Value): readonly Value[] {
  const list = truthy(value) ? iterate(value) : [];
  chargeList(list.length);
  charge(list.length);
  return list;
}

export function passes(value: Value, [name, ...given]: readonly Value[]): boolean {
  if (name === undefined) return truthy(value);
  if (given.length > 1) throw new TemplateError(`the test ${str(name)} takes one argument`);
  const operator = { '==': 'eq', '!=': 'ne', '>': 'gt', '>=': 'ge', '<': 'lt', '<=': 'le' }[str(name)];
  return testNamed(operator ?? str(name))(value, given[0]);
}

/** `attribute='a.b.0'` of filters; the item itself without one. */
export function attributeOf(item: Value, path: Value | undefined): Value {
  if (path === undefined || path === null) return item;
  let value = item;
  for (const part of pieces(str(path), '.')) {
    charge(4);
    value = getItem(value, /^\d+$/.test(part) ? Number(part) : part);
  }
  return value;
}

/** What items are compared by: an attribute of them, texts without their case unless that is to count. */
function keyOf(item: Value, caseSensitive: Value | undefined, attribute?: Value): Value {
  const found = attributeOf(item, attribute);
  return isString(found) && !truthy(caseSensitive ?? false) ? lower(found) : found;
}

export function sort(value: Value, [reverse = false, caseSensitive, attribute]: Given): Value {
  return sorted(iterate(value), (item) => keyOf(item, caseSensitive, attribute), truthy(reverse));
}

export function dictsort(dict: Dict, [caseSensitive, by = 'key', reverse = false]: Given): Value {
  if (by !== 'key' && by !== 'value') throw new TemplateError("You can only sort by either 'key' or 'value'");
  const at = by === 'key' ? 0 : 1;
  return sorted(
    entriesOf(dict),
    (entry) => keyOf((entry as readonly Value[])[at] ?? null, caseSensitive),
    truthy(reverse),
  );
}

function sorted(list: readonly Value[], key: (item: Value) => Value, reverse: boolean): Value {
  chargeList(2 * list.length);
  allocate(48 * list.length);
  const keyed = list.map((item) => ({ item, key: key(item) }));
  keyed.sort((a, b) => (reverse ? compare(b.key, a.key) : compare(a.key, b.key)));
  return keyed.map(({ item }) => item);
}

/** The least (-1) or the greatest (1); the first of equal ones. */
export const extreme =
  (sign: -1 | 1) =>
  (value: Value, [caseSensitive, attribute]: Given): Value => {
    const list = iterate(value).map((item) => ({ item, key: keyOf(item, caseSensitive, attribute) }));
    chargeList(2 * list.length);
    let [found] = list;
    for (const other of list.slice(1)) if (compare(other.key, (found as typeof other).key) * sign > 0) found = other;
    return found === undefined ? new Undefined('No aggregated item, sequence was empty.') : found.item;
  };

export function sum(value: Value, [attribute, start = 0]: Given): Value {
  const list = iterate(value);
  charge(list.length);
  return list.reduce((total, item) => arithmetic('+', total, attributeOf(item, attribute)), start);
}

/** Of equal items the first. */
export function unique(value: Value, [caseSensitive, attribute]: Given): Value {
  const list = iterate(value);
  chargeList(2 * list.length);
  const seen = new Set<unknown>();
  const containers: Value[] = [];
  const distinct = list.filter((item) => {
    const found = keyOf(item, caseSensitive, attribute);
    const key = numeric(found) ?? found;
    charge(2);
    allocate(40);
    if (isString(key)) chargeKey(key);
    if (isString(key) || typeof key === 'number' || key === null) return !seen.has(key) && seen.add(key);
    if (containers.some((other) => equal(other, found))) return false;
    containers.push(found);
    return true;
  });
  return iterable('generator', distinct);
}

function compare(a: Value, b: Value): number {
  charge(1);
  const x = numeric(a);
  const y = numeric(b);
  if (x !== undefined && y !== undefined) return x - y;
  if (isString(a) && isString(b)) return compareTexts(a, b);
  throw new TemplateError(`'<' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`);
}
