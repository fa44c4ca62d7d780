import { codePointLength } from './codePoints.ts';
import { TemplateError } from './errors.ts';
import { toJson } from './json.ts';
import { allocate, charge, chargeKey, chargeList } from './meter.ts';
import { compareTexts, entriesOf, getAttribute, iterate } from './operators.ts';
import {
  capitalize,
  chargeNew,
  joinPrinted,
  lower,
  occurrences,
  pieces,
  replace,
  strip,
  title,
  upper,
} from './strings.ts';
import { numberOf, testNamed } from './tests.ts';
import {
  equal,
  firstGiven,
  float,
  isDict,
  isFloat,
  isList,
  isString,
  type Kwargs,
  numeric,
  str,
  truthy,
  typeName,
  Undefined,
  type Value,
} from './values.ts';

type Filter = (value: Value, args: readonly Value[], kwargs: Kwargs) => Value;

/** Jinja's built-in filters that chat templates use. */
const FILTERS: Readonly<Record<string, Filter>> = {
  tojson: toJson,
  trim: (value, [characters]) => strip(str(value), characters, true, true),
  string: (value) => str(value),
  safe: (value) => value,
  upper: (value) => upper(str(value)),
  lower: (value) => lower(str(value)),
  title: (value) => title(str(value)),
  capitalize: (value) => capitalize(str(value)),
  replace: (value, [from, to, count], kwargs) => replace(str(value), from, to, count ?? kwargs.count),
  indent,
  length,
  count: length,
  list: (value) => iterate(value),
  first: (value) => firstGiven(iterate(value)[0], new Undefined('No first item, sequence was empty.')),
  last: (value) => firstGiven(iterate(value).at(-1), new Undefined('No last item, sequence was empty.')),
  reverse: (value) => {
    const items = iterate(value);
    chargeList(items.length);
    return isString(value) ? items.toReversed().join('') : items.toReversed();
  },
  join: (value, args, kwargs) => {
    const attribute = args[1] ?? kwargs.attribute;
    const items = iterate(value).map((item) => (attribute === undefined ? item : attributeOf(item, attribute)));
    return joinPrinted(items, str(args[0] ?? kwargs.d ?? ''));
  },
  unique,
  sort,
  min: (value) => extreme(iterate(value), -1),
  max: (value) => extreme(iterate(value), 1),
  sum: (value) => {
    const list = iterate(value);
    charge(list.length);
    return list.reduce((sum: number, item) => sum + numberOf(item, 'sum'), 0);
  },
  abs: (value) => Math.abs(numberOf(value, 'abs')),
  round: (value, args) => {
    const digits = numeric(args[0] ?? 0) ?? 0;
    const rounded = roundLikePython(numberOf(value, 'round'), digits);
    return isFloat(value) ? float(rounded) : rounded;
  },
  int: (value, args) => {
    const number = isString(value) ? Number.parseInt(parsed(value), 10) : numeric(value);
    return number === undefined || Number.isNaN(number) ? (args[0] ?? 0) : Math.trunc(number);
  },
  float: (value, args) => {
    const number = isString(value) ? Number.parseFloat(parsed(value)) : numeric(value);
    return number === undefined || Number.isNaN(number) ? (args[0] ?? float(0)) : float(number);
  },
  default: fallback,
  d: fallback,
  items: (value) => (value instanceof Undefined ? [] : entriesOf(expectDict(value, 'items'))),
  dictsort: (value) => entriesOf(expectDict(value, 'dictsort')).sort(([a], [b]) => compare(a, b)),
  map: (value, args, kwargs) => {
    const { attribute } = kwargs;
    if (attribute !== undefined) {
      return chosenFrom(value).map((item) => {
        const found = attributeOf(item, attribute);
        return found instanceof Undefined && kwargs.default !== undefined ? kwargs.default : found;
      });
    }
    const filter = filterNamed(str(args[0] ?? ''));
    return chosenFrom(value).map((item) => filter(item, args.slice(1), kwargs));
  },
  select: (value, args) => chosenFrom(value).filter((item) => passes(item, args)),
  reject: (value, args) => chosenFrom(value).filter((item) => !passes(item, args)),
  selectattr: (value, [attribute, ...test]) =>
    chosenFrom(value).filter((item) => passes(attributeOf(item, attribute ?? ''), test)),
  rejectattr: (value, [attribute, ...test]) =>
    chosenFrom(value).filter((item) => !passes(attributeOf(item, attribute ?? ''), test)),
};

export function filterNamed(name: string): Filter {
  const filter = Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined;
  if (filter === undefined) throw new TemplateError(`No filter named '${name}'.`);
  return filter;
}

/** A text that is read to its end. */
function parsed(text: string): string {
  charge(text.length >>> 4);
  return text;
}

/** Filters that choose or map take None for nothing. */
function chosenFrom(value: Value): readonly Value[] {
  const list = truthy(value) ? iterate(value) : [];
  chargeList(list.length);
  charge(list.length);
  return list;
}

function passes(value: Value, [name, argument]: readonly Value[]): boolean {
  if (name === undefined) return truthy(value);
  const operator = { '==': 'eq', '!=': 'ne', '>': 'gt', '>=': 'ge', '<': 'lt', '<=': 'le' }[str(name)];
  return testNamed(operator ?? str(name))(value, argument);
}

/** `attribute='a.b.0'` of filters. */
function attributeOf(item: Value, path: Value): Value {
  let value = item;
  for (const part of pieces(str(path), '.')) {
    charge(4);
    value =
      isList(value) && /^\d+$/.test(part)
        ? (value[Number(part)] ?? new Undefined('no such item'))
        : getAttribute(value, part);
  }
  return value;
}

function fallback(value: Value, args: readonly Value[], kwargs: Kwargs): Value {
  const also = args[1] ?? kwargs.boolean ?? false;
  const missing = value instanceof Undefined || (truthy(also) && !truthy(value));
  return missing ? firstGiven(args[0], kwargs.default_value, '') : value;
}

function length(value: Value): Value {
  if (isString(value) || isList(value) || isDict(value) || value instanceof Undefined) {
    return isString(value) ? codePointLength(value) : iterate(value).length;
  }
  throw new TemplateError(`object of type '${typeName(value)}' has no len()`);
}

const LINE_ENDS = /\r\n|\n|\r/g;

function indent(value: Value, args: readonly Value[], kwargs: Kwargs): Value {
  const width = args[0] ?? kwargs.width ?? 4;
  const first = truthy(args[1] ?? kwargs.first ?? false);
  const blank = truthy(args[2] ?? kwargs.blank ?? false);
  const text = str(value);
  const ends = occurrences(text, '\n') + occurrences(text, '\r');
  const size = isString(width) ? width.length : Math.max(0, numberOf(width, 'indent'));
  charge(4 * ends);
  allocate(64 * ends);
  chargeNew(text.length + size * (ends + 1));
  const space = isString(width) ? width : ' '.repeat(size);
  const lines = text.split(LINE_ENDS);
  return lines.map((line, i) => ((i === 0 ? first : blank || line !== '') ? space + line : line)).join('\n');
}

function sort(value: Value, args: readonly Value[], kwargs: Kwargs): Value {
  const reverse = truthy(args[0] ?? kwargs.reverse ?? false);
  const caseSensitive = truthy(args[1] ?? kwargs.case_sensitive ?? false);
  const attribute = args[2] ?? kwargs.attribute;
  const key = (item: Value): Value => {
    const found = attribute === undefined ? item : attributeOf(item, attribute);
    return isString(found) && !caseSensitive ? lower(found) : found;
  };
  const list = iterate(value);
  chargeList(2 * list.length);
  allocate(48 * list.length);
  const keyed = list.map((item) => ({ item, key: key(item) }));
  keyed.sort((a, b) => (reverse ? compare(b.key, a.key) : compare(a.key, b.key)));
  return keyed.map(({ item }) => item);
}

/** The least (-1) or the greatest (1); the first of equal ones. */
function extreme(list: readonly Value[], sign: -1 | 1): Value {
  let [found] = list;
  for (const item of list.slice(1)) if (compare(item, found as Value) * sign > 0) found = item;
  return found ?? new Undefined('No aggregated item, sequence was empty.');
}

/** Of equal items the first, texts compared without their case. */
function unique(value: Value): Value {
  const list = iterate(value);
  chargeList(2 * list.length);
  const seen = new Set<unknown>();
  const containers: Value[] = [];
  return list.filter((item) => {
    const number = numeric(item);
    const key = isString(item) ? lower(item) : (number ?? item);
    charge(2);
    allocate(40);
    if (isString(key)) chargeKey(key);
    if (isString(key) || typeof key === 'number' || key === null) return !seen.has(key) && seen.add(key);
    if (containers.some((other) => equal(other, item))) return false;
    containers.push(item);
    return true;
  });
}

function compare(a: Value, b: Value): number {
  charge(1);
  const x = numeric(a);
  const y = numeric(b);
  if (x !== undefined && y !== undefined) return x - y;
  if (isString(a) && isString(b)) return compareTexts(a, b);
  throw new TemplateError(`'<' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`);
}

function expectDict(value: Value, filter: string): Record<string, Value> {
  if (isDict(value)) return value;
  throw new TemplateError(`${filter} needs a mapping, not '${typeName(value)}'`);
}

/** Python's round(): of the decimal number that is exactly meant, ties to even. */
function roundLikePython(number: number, digits: number): number {
  if (digits > 100) return number;
  // A tie has a 5 behind the last digit: an odd number of halves of 2^-digits.
  const isTie = digits >= 0 ? Math.abs((number * 2 ** (digits + 1)) % 2) === 1 : false;
  if (digits >= 0 && !isTie) return Number(number.toFixed(digits));
  const scaled = digits >= 0 ? number * 10 ** digits : number / 10 ** -digits;
  const below = Math.floor(scaled);
  const rest = scaled - below;
  const even = below % 2 === 0 ? below : below + 1;
  const nearest = rest === 0.5 ? even : Math.round(scaled);
  return digits >= 0 ? nearest / 10 ** digits : nearest * 10 ** -digits;
}
