import { boundArguments, type Given } from './arguments.ts';
import { codePointAt, codePointLength, codePoints, sliceCodePoints } from './codePoints.ts';
import { TemplateError } from './errors.ts';
import { iterable, iterableKind, taken } from './iterables.ts';
import { allocate, charge, chargeKey, chargeList, chargeSearch } from './meter.ts';
import { stringMethod } from './stringMethods.ts';
import { chargeNew, checkLength } from './strings.ts';
import {
  type Callable,
  type Dict,
  equal,
  float,
  hasKey,
  isCallable,
  isDict,
  isFloat,
  isInteger,
  isList,
  isString,
  isTuple,
  keysOf,
  Namespace,
  numeric,
  repr,
  str,
  tuple,
  typeName,
  Undefined,
  type Value,
} from './values.ts';

/** `for`, `in`, `list`: what iterating gives. */
export function iterate(value: Value): readonly Value[] {
  if (isList(value)) return iterableKind(value) === 'generator' ? taken(value) : value;
  if (isString(value)) return codePoints(value);
  if (value instanceof Undefined) return [];
  if (isDict(value)) return keysOf(value);
  throw new TemplateError(`'${typeName(value)}' object is not iterable`);
}

const missing = (object: Value, name: string): Undefined =>
  new Undefined(`'${object === null ? 'None' : `${typeName(object)} object`}' has no attribute ${repr(name)}`);

/** What Jinja's macros say of themselves. Other functions have no attributes: `schema.items.type` is undefined. */
const OF_MACROS = ['name', 'arguments', 'catch_kwargs', 'catch_varargs', 'caller', 'explicit_caller'];

/** `object.name`: Python looks for a method first, so `parameters.items` is a method even where there is such a key. */
export function getAttribute(object: Value, name: string): Value {
  if (object instanceof Undefined) throw new TemplateError(object.message);
  if (object instanceof Namespace) return object.attributes.get(name) ?? missing(object, name);
  const method = methodOf(object, name);
  if (method !== undefined) return method;
  if (isDict(object) && hasKey(object, name)) return object[name] as Value;
  if (name.startsWith('_')) return refused(object, name);
  if (isCallable(object) && OF_MACROS.includes(name))
    throw new TemplateError(`the attribute '${name}' of a function is not known here`);
  return missing(object, name);
}

const lengthOf = (value: string | readonly Value[]): number =>
  isString(value) ? codePointLength(value) : value.length;

/** `object[key]` */
export function getItem(object: Value, key: Value): Value {
  if (object instanceof Undefined) throw new TemplateError(object.message);
  if (isString(key)) {
    return isDict(object) && hasKey(object, key) ? (object[key] as Value) : getAttribute(object, key);
  }
  const index = numeric(key);
  if (index !== undefined && (isIndexed(object) || isString(object))) {
    const at = index < 0 ? lengthOf(object) + index : index;
    const item = isString(object) ? codePointAt(object, at) : object[at];
    if (item !== undefined) return item;
  }
  return new Undefined(`${object === null ? 'None' : `${typeName(object)} object`} has no element ${repr(key)}`);
}

/** Has items by number, and a length. */
export const isIndexed = (value: Value): value is readonly Value[] =>
  isList(value) && [null, 'range'].includes(iterableKind(value));

/** Python's object[start:stop:step]. */
export function slice(object: Value, start: Value, stop: Value, step: Value): Value {
  if (object instanceof Undefined) throw new TemplateError(object.message);
  if (!isString(object) && !isIndexed(object))
    throw new TemplateError(`'${typeName(object)}' object is not subscriptable`);
  const length = lengthOf(object);
  const by = sliceIndex(step) ?? 1;
  if (by === 0) throw new TemplateError('slice step cannot be zero');
  const clamp = (value: Value, otherwise: number): number => {
    const index = sliceIndex(value);
    if (index === undefined) return otherwise;
    const at = index < 0 ? length + index : index;
    return by > 0 ? Math.min(Math.max(at, 0), length) : Math.min(Math.max(at, -1), length - 1);
  };
  const from = clamp(start, by > 0 ? 0 : length - 1);
  const to = clamp(stop, by > 0 ? length : -1);
  if (by === 1 && isString(object)) {
    charge(1 + ((to - from) >>> 4));
    allocate(32);
    return sliceCodePoints(object, from, to);
  }
  const items = isString(object) ? codePoints(object) : object;
  const chosen: Value[] = [];
  chargeList(Math.max(0, Math.ceil((to - from) / by)));
  for (let i = from; by > 0 ? i < to : i > to; i += by) chosen.push(items[i] as Value);
  if (isString(object)) return chosen.join('');
  return iterableKind(object) === null ? chosen : iterable('range', chosen);
}

/** Undefined for None. */
function sliceIndex(value: Value): number | undefined {
  if (value === null) return undefined;
  if (isInteger(value) || typeof value === 'boolean') return numeric(value);
  throw new TemplateError('slice indices must be integers or None or have an __index__ method');
}

const CHANGES_LIST = ['append', 'insert', 'pop', 'remove', 'reverse', 'sort', 'clear', 'extend'];
const CHANGES_DICT = ['clear', 'pop', 'popitem', 'setdefault', 'update'];

function methodOf(object: Value, name: string): Callable | Undefined | undefined {
  if (isString(object)) {
    return stringMethod(object, name);
  }
  if (isIndexed(object)) {
    if (CHANGES_LIST.includes(name)) return refused(object, name);
    if (name === 'index') return known(name, ['value'], ([item]) => indexOf(object, needed(item, name)));
    if (name === 'count') return known(name, ['value'], ([item]) => occurrencesIn(object, needed(item, name)));
  } else if (isDict(object)) {
    if (name === 'items') return known(name, [], () => iterable('dict_items', entriesOf(object)));
    if (name === 'keys') return known(name, [], () => iterable('dict_keys', keysOf(object)));
    if (name === 'values')
      return known(name, [], () =>
        iterable(
          'dict_values',
          keysOf(object).map((key) => object[key] as Value),
        ),
      );
    if (name === 'copy') return known(name, [], () => copyOf(object));
    if (name === 'get') {
      return known(name, ['key', 'default'], ([key = null, otherwise = null]) =>
        hasKey(object, key) ? (object[key] as Value) : otherwise,
      );
    }
    if (CHANGES_DICT.includes(name)) return refused(object, name);
  }
  return undefined;
}

const known =
  (name: string, parameters: readonly string[], method: (given: Given) => Value): Callable =>
  (args, kwargs) =>
    method(boundArguments(name, parameters, args, kwargs));

function needed(value: Value | undefined, method: string): Value {
  if (value === undefined) throw new TemplateError(`${method}() takes an argument`);
  return value;
}

const occurrencesIn = (list: readonly Value[], item: Value): number =>
  list.filter((other) => equal(other, item)).length;

function indexOf(list: readonly Value[], item: Value): number {
  const at = list.findIndex((other) => equal(other, item));
  if (at < 0) throw new TemplateError(`${repr(item)} is not in list`);
  return at;
}

/** Templates may not change what they are given, nor look behind it; Jinja's sandbox says so when it is used. */
function refused(object: Value, name: string): Undefined {
  return new Undefined(`access to attribute '${name}' of '${typeName(object)}' object is unsafe.`);
}

export function contains(container: Value, item: Value): boolean {
  if (isString(container)) {
    if (isString(item)) {
      chargeSearch(container, item);
      return container.includes(item);
    }
    throw new TemplateError(`'in <string>' requires string as left operand, not ${typeName(item)}`);
  }
  if (isDict(container)) return hasKey(container, item);
  if (isList(container)) {
    const at = container.findIndex((other) => equal(other, item));
    if (iterableKind(container) === 'generator') taken(container, at < 0 ? container.length : at + 1);
    return at >= 0;
  }
  if (container instanceof Undefined) return false;
  throw new TemplateError(`argument of type '${typeName(container)}' is not iterable`);
}

export function arithmetic(operator: string, a: Value, b: Value): Value {
  for (const value of [a, b]) if (value instanceof Undefined) throw new TemplateError(value.message);
  if (operator === '+') {
    if (isString(a) && isString(b)) {
      return appended(a, b);
    }
    if (isList(a) && isList(b) && typeName(a) === typeName(b) && iterableKind(a) === null) {
      chargeList(a.length + b.length);
      return isTuple(a) ? tuple([...a, ...b]) : [...a, ...b];
    }
    if (isString(a) || isList(a)) {
      throw new TemplateError(`can only concatenate ${typeName(a)} (not "${typeName(b)}") to ${typeName(a)}`);
    }
  }
  const x = numeric(a);
  const y = numeric(b);
  if (operator === '*' && isString(a) && y !== undefined) {
    const times = Math.max(0, Math.floor(y));
    chargeNew(a.length * times);
    return a.repeat(times);
  }
  if (x === undefined || y === undefined) {
    throw new TemplateError(`unsupported operand type(s) for ${operator}: '${typeName(a)}' and '${typeName(b)}'`);
  }
  if (y === 0 && (operator === '/' || operator === '//' || operator === '%'))
    throw new TemplateError('division by zero');
  const result = calculate(operator, x, y);
  // Of two integers Python's power with a negative exponent is a float.
  if (operator === '/' || isFloat(a) || isFloat(b) || (operator === '**' && y < 0)) return float(result);
  if (![x, y, result].every(Number.isSafeInteger)) {
    throw new TemplateError(`${repr(a)} ${operator} ${repr(b)}: integers beyond 2^53 are not calculated with`);
  }
  return result;
}

function calculate(operator: string, x: number, y: number): number {
  switch (operator) {
    case '+':
      return x + y;
    case '-':
      return x - y;
    case '*':
      return x * y;
    case '/':
      return x / y;
    case '//':
      return Math.floor(x / y);
    case '%':
      return x - y * Math.floor(x / y);
    case '**':
      return x ** y;
    default:
      throw new TemplateError(`unknown operator ${operator}`);
  }
}

/** By code points, as Python orders strings. */
export function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at < length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  charge(1 + (at >>> 3));
  return at === length ? a.length - b.length : rank(a.charCodeAt(at)) - rank(b.charCodeAt(at));
}

/** UTF-16 puts the halves of code points beyond U+FFFF before U+E000. */
const rank = (unit: number): number => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit);

export function compareValues(operator: string, a: Value, b: Value): boolean {
  for (const value of [a, b]) if (value instanceof Undefined) throw new TemplateError(value.message);
  const x = numeric(a);
  const y = numeric(b);
  let order: number;
  if (x !== undefined && y !== undefined) order = x - y;
  else if (isString(a) && isString(b)) order = compareTexts(a, b);
  else {
    throw new TemplateError(`'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`);
  }
  if (operator === '<') return order < 0;
  if (operator === '<=') return order <= 0;
  return operator === '>' ? order > 0 : order >= 0;
}

/** The `~` operator: both sides printed. */
export function concatenate(a: Value, b: Value): string {
  const [left, right] = [str(a), str(b)];
  return appended(left, right);
}

function appended(a: string, b: string): string {
  checkLength(a.length + b.length);
  // V8 copies when the result is first read, which is charged then.
  charge(1 + ((a.length + b.length) >>> 6));
  allocate(32 + ((a.length + b.length) >>> 3));
  return a + b;
}

export function entriesOf(dict: Dict): (readonly Value[])[] {
  const keys = keysOf(dict);
  allocate(48 * keys.length);
  return keys.map((key) => tuple([key, dict[key] as Value]));
}

/** A new dict of the entries of others, the later ones over the earlier. */
export function copyOf(...dicts: readonly Dict[]): Dict {
  const copy: Record<string, Value> = {};
  for (const dict of dicts) {
    const keys = keysOf(dict);
    charge(keys.length);
    allocate(64 * (1 + keys.length));
    for (const key of keys) setKey(copy, key, dict[key] as Value);
  }
  return copy;
}

/** As a property of its own, also where the name is `__proto__`. */
export function setKey(dict: Record<string, Value>, key: string, value: Value): void {
  chargeKey(key);
  Object.defineProperty(dict, key, { value, writable: true, enumerable: true, configurable: true });
}
