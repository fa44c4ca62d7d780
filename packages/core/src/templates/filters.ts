import { toJson } from './json.ts';
import { getAttribute, iterate } from './operators.ts';
import { capitalize, codePoints, joinPrinted, replace, strip, title } from './strings.ts';
import {
  equal,
  firstGiven,
  float,
  isCallable,
  isDict,
  isFloat,
  isInteger,
  isList,
  isString,
  type Kwargs,
  numeric,
  str,
  TemplateError,
  truthy,
  typeName,
  Undefined,
  type Value,
} from './values.ts';

type Filter = (value: Value, args: readonly Value[], kwargs: Kwargs) => Value;
type Test = (value: Value, argument?: Value) => boolean;

/** Jinja's built-in tests that chat templates use. */
const TESTS: Readonly<Record<string, Test>> = {
  defined: (value) => !(value instanceof Undefined),
  undefined: (value) => value instanceof Undefined,
  none: (value) => value === null,
  true: (value) => value === true,
  false: (value) => value === false,
  boolean: (value) => typeof value === 'boolean',
  string: isString,
  number: (value) => numeric(value) !== undefined,
  integer: (value) => isInteger(value),
  float: (value) => isFloat(value),
  mapping: isDict,
  iterable: (value) => isString(value) || isList(value) || isDict(value) || value instanceof Undefined,
  sequence: (value) => isString(value) || isList(value) || isDict(value) || value instanceof Undefined,
  callable: isCallable,
  odd: (value) => Math.abs(numberOf(value, 'odd') % 2) === 1,
  even: (value) => numberOf(value, 'even') % 2 === 0,
  divisibleby: (value, by) => numberOf(value, 'divisibleby') % numberOf(by ?? null, 'divisibleby') === 0,
  lower: (value) => str(value) !== str(value).toUpperCase() && str(value) === str(value).toLowerCase(),
  upper: (value) => str(value) !== str(value).toLowerCase() && str(value) === str(value).toUpperCase(),
  equalto: (value, other) => equal(value, other ?? null),
  eq: (value, other) => equal(value, other ?? null),
  ne: (value, other) => !equal(value, other ?? null),
  in: (value, container) => iterate(container ?? null).some((item) => equal(item, value)),
  gt: (value, other) => numberOf(value, 'gt') > numberOf(other ?? null, 'gt'),
  ge: (value, other) => numberOf(value, 'ge') >= numberOf(other ?? null, 'ge'),
  lt: (value, other) => numberOf(value, 'lt') < numberOf(other ?? null, 'lt'),
  le: (value, other) => numberOf(value, 'le') <= numberOf(other ?? null, 'le'),
};

export function testNamed(name: string): Test {
  const test = Object.hasOwn(TESTS, name) ? TESTS[name] : undefined;
  if (test === undefined) throw new TemplateError(`No test named '${name}'.`);
  return test;
}

/** Jinja's built-in filters that chat templates use. */
const FILTERS: Readonly<Record<string, Filter>> = {
  tojson: toJson,
  trim: (value, [characters]) => strip(str(value), characters, true, true),
  string: (value) => str(value),
  safe: (value) => value,
  upper: (value) => str(value).toUpperCase(),
  lower: (value) => str(value).toLowerCase(),
  title: (value) => title(str(value)),
  capitalize: (value) => capitalize(str(value)),
  replace: (value, [from, to, count], kwargs) => replace(str(value), from, to, count ?? kwargs.count),
  indent,
  length,
  count: length,
  list: (value) => iterate(value),
  first: (value) => firstGiven(iterate(value)[0], new Undefined('No first item, sequence was empty.')),
  last: (value) => firstGiven(iterate(value).at(-1), new Undefined('No last item, sequence was empty.')),
  reverse: (value) => (isString(value) ? codePoints(value).toReversed().join('') : iterate(value).toReversed()),
  join: (value, args, kwargs) => {
    const attribute = args[1] ?? kwargs.attribute;
    const items = iterate(value).map((item) => (attribute === undefined ? item : attributeOf(item, attribute)));
    return joinPrinted(items, str(args[0] ?? kwargs.d ?? ''));
  },
  unique: (value) => iterate(value).filter((item, i, all) => all.findIndex((other) => sameFolded(item, other)) === i),
  sort,
  min: (value) => iterate(value).toSorted(compare)[0] ?? new Undefined('No aggregated item, sequence was empty.'),
  max: (value) => iterate(value).toSorted(compare).at(-1) ?? new Undefined('No aggregated item, sequence was empty.'),
  sum: (value) => iterate(value).reduce((sum: number, item) => sum + numberOf(item, 'sum'), 0),
  abs: (value) => Math.abs(numberOf(value, 'abs')),
  round: (value, args) => {
    const digits = numeric(args[0] ?? 0) ?? 0;
    const rounded = roundLikePython(numberOf(value, 'round'), digits);
    return isFloat(value) ? float(rounded) : rounded;
  },
  int: (value, args) => {
    const number = isString(value) ? Number.parseInt(value, 10) : numeric(value);
    return number === undefined || Number.isNaN(number) ? (args[0] ?? 0) : Math.trunc(number);
  },
  float: (value, args) => {
    const number = isString(value) ? Number.parseFloat(value) : numeric(value);
    return number === undefined || Number.isNaN(number) ? (args[0] ?? float(0)) : float(number);
  },
  default: fallback,
  d: fallback,
  items: (value) => (value instanceof Undefined ? [] : Object.entries(expectDict(value, 'items'))),
  dictsort: (value) => Object.entries(expectDict(value, 'dictsort')).sort(([a], [b]) => compare(a, b)),
  map: (value, args, kwargs) => {
    const { attribute } = kwargs;
    if (attribute !== undefined) {
      return items(value).map((item) => {
        const found = attributeOf(item, attribute);
        return found instanceof Undefined && kwargs.default !== undefined ? kwargs.default : found;
      });
    }
    const filter = filterNamed(str(args[0] ?? ''));
    return items(value).map((item) => filter(item, args.slice(1), kwargs));
  },
  select: (value, args) => items(value).filter((item) => passes(item, args)),
  reject: (value, args) => items(value).filter((item) => !passes(item, args)),
  selectattr: (value, [attribute, ...test]) =>
    items(value).filter((item) => passes(attributeOf(item, attribute ?? ''), test)),
  rejectattr: (value, [attribute, ...test]) =>
    items(value).filter((item) => !passes(attributeOf(item, attribute ?? ''), test)),
};

export function filterNamed(name: string): Filter {
  const filter = Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined;
  if (filter === undefined) throw new TemplateError(`No filter named '${name}'.`);
  return filter;
}

/** Filters that choose or map take None for nothing. */
const items = (value: Value): readonly Value[] => (truthy(value) ? iterate(value) : []);

function passes(value: Value, [name, argument]: readonly Value[]): boolean {
  if (name === undefined) return truthy(value);
  const operator = { '==': 'eq', '!=': 'ne', '>': 'gt', '>=': 'ge', '<': 'lt', '<=': 'le' }[str(name)];
  return testNamed(operator ?? str(name))(value, argument);
}

/** `attribute='a.b.0'` of filters. */
function attributeOf(item: Value, path: Value): Value {
  let value = item;
  for (const part of str(path).split('.')) {
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
  if (isString(value) || isList(value) || isDict(value) || value instanceof Undefined) return iterate(value).length;
  throw new TemplateError(`object of type '${typeName(value)}' has no len()`);
}

function indent(value: Value, args: readonly Value[], kwargs: Kwargs): Value {
  const width = args[0] ?? kwargs.width ?? 4;
  const first = truthy(args[1] ?? kwargs.first ?? false);
  const blank = truthy(args[2] ?? kwargs.blank ?? false);
  const space = isString(width) ? width : ' '.repeat(numberOf(width, 'indent'));
  const lines = str(value).split(/\r\n|\n|\r/);
  return lines.map((line, i) => ((i === 0 ? first : blank || line !== '') ? space + line : line)).join('\n');
}

function sort(value: Value, args: readonly Value[], kwargs: Kwargs): Value {
  const reverse = truthy(args[0] ?? kwargs.reverse ?? false);
  const caseSensitive = truthy(args[1] ?? kwargs.case_sensitive ?? false);
  const attribute = args[2] ?? kwargs.attribute;
  const key = (item: Value): Value => {
    const found = attribute === undefined ? item : attributeOf(item, attribute);
    return isString(found) && !caseSensitive ? found.toLowerCase() : found;
  };
  return iterate(value).toSorted((a, b) => (reverse ? compare(key(b), key(a)) : compare(key(a), key(b))));
}

/** By code points, as Python orders strings. */
function compare(a: Value, b: Value): number {
  const x = numeric(a);
  const y = numeric(b);
  if (x !== undefined && y !== undefined) return x - y;
  if (isString(a) && isString(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  throw new TemplateError(`'<' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`);
}

const sameFolded = (a: Value, b: Value): boolean =>
  isString(a) && isString(b) ? a.toLowerCase() === b.toLowerCase() : equal(a, b);

function expectDict(value: Value, filter: string): Record<string, Value> {
  if (isDict(value)) return value;
  throw new TemplateError(`${filter} needs a mapping, not '${typeName(value)}'`);
}

function numberOf(value: Value, what: string): number {
  const number = numeric(value);
  if (number !== undefined) return number;
  throw new TemplateError(
    value instanceof Undefined ? value.message : `${what} needs a number, not '${typeName(value)}'`,
  );
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
