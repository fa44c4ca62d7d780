import { codePointLength, codePoints, stringMethod } from './strings.ts';
import {
  type Callable,
  equal,
  float,
  isDict,
  isFloat,
  isList,
  isString,
  Namespace,
  numeric,
  repr,
  str,
  TemplateError,
  typeName,
  Undefined,
  type Value,
} from './values.ts';

/** No string of a template may grow beyond this: conversations of millions of tokens stay far below. */
const MAX_STRING = 1 << 24;

/** `for`, `in`, `list`: what iterating gives. */
export function iterate(value: Value): readonly Value[] {
  if (isList(value)) return value;
  if (isString(value)) return codePoints(value);
  if (value instanceof Undefined) return [];
  if (isDict(value)) return Object.keys(value);
  throw new TemplateError(`'${typeName(value)}' object is not iterable`);
}

const missing = (object: Value, name: string): Undefined =>
  new Undefined(`'${object === null ? 'None' : `${typeName(object)} object`}' has no attribute ${repr(name)}`);

/** `object.name`: Python looks for a method first, so `parameters.items` is a method even where there is such a key. */
export function getAttribute(object: Value, name: string): Value {
  if (object instanceof Undefined) throw new TemplateError(object.message);
  if (object instanceof Namespace) return object.attributes.get(name) ?? missing(object, name);
  const method = methodOf(object, name);
  if (method !== undefined) return method;
  if (isDict(object) && Object.hasOwn(object, name)) return object[name] as Value;
  if (name.startsWith('_')) return refused(object, name);
  return missing(object, name);
}

/** `object[key]` */
export function getItem(object: Value, key: Value): Value {
  if (object instanceof Undefined) throw new TemplateError(object.message);
  if (isString(key)) {
    return isDict(object) && Object.hasOwn(object, key) ? (object[key] as Value) : getAttribute(object, key);
  }
  const index = numeric(key);
  if (index !== undefined && (isList(object) || isString(object))) {
    const items = isString(object) && codePointLength(object) !== object.length ? codePoints(object) : object;
    const item = items[index < 0 ? items.length + index : index];
    if (item !== undefined) return item;
  }
  return new Undefined(`${object === null ? 'None' : `${typeName(object)} object`} has no element ${repr(key)}`);
}

/** Python's object[start:stop:step]. */
export function slice(object: Value, start: Value, stop: Value, step: Value): Value {
  if (object instanceof Undefined) throw new TemplateError(object.message);
  if (!isString(object) && !isList(object))
    throw new TemplateError(`'${typeName(object)}' object is not subscriptable`);
  const items = isString(object) ? codePoints(object) : object;
  const by = numeric(step) ?? 1;
  if (by === 0) throw new TemplateError('slice step cannot be zero');
  const clamp = (value: Value, otherwise: number): number => {
    const index = numeric(value);
    if (index === undefined) return otherwise;
    const at = index < 0 ? items.length + index : index;
    return by > 0 ? Math.min(Math.max(at, 0), items.length) : Math.min(Math.max(at, -1), items.length - 1);
  };
  const from = clamp(start, by > 0 ? 0 : items.length - 1);
  const to = clamp(stop, by > 0 ? items.length : -1);
  const chosen: Value[] = [];
  for (let i = from; by > 0 ? i < to : i > to; i += by) chosen.push(items[i] as Value);
  return isString(object) ? chosen.join('') : chosen;
}

const CHANGES_LIST = ['append', 'insert', 'pop', 'remove', 'reverse', 'sort', 'clear', 'extend'];
const CHANGES_DICT = ['clear', 'pop', 'popitem', 'setdefault', 'update'];

function methodOf(object: Value, name: string): Callable | undefined {
  if (isString(object)) {
    const method = stringMethod(name);
    return method && ((args, kwargs) => method(object, args, kwargs));
  }
  if (isList(object)) {
    if (CHANGES_LIST.includes(name)) return refused(object, name);
    if (name === 'index') return ([item]) => object.findIndex((other) => equal(other, item as Value));
    if (name === 'count') return ([item]) => object.filter((other) => equal(other, item as Value)).length;
  } else if (isDict(object)) {
    if (name === 'items') return () => Object.entries(object);
    if (name === 'keys') return () => Object.keys(object);
    if (name === 'values') return () => Object.values(object);
    if (name === 'copy') return () => ({ ...object });
    if (name === 'get') {
      return ([key, otherwise]) =>
        isString(key as Value) && Object.hasOwn(object, key as string)
          ? (object[key as string] as Value)
          : (otherwise ?? null);
    }
    if (CHANGES_DICT.includes(name)) return refused(object, name);
  }
  return undefined;
}

/** Templates may not change what they are given, nor look behind it; Jinja's sandbox says so when it is used. */
function refused(object: Value, name: string): Callable {
  return () => {
    throw new TemplateError(`access to attribute '${name}' of '${typeName(object)}' object is unsafe.`);
  };
}

export function contains(container: Value, item: Value): boolean {
  if (isString(container)) {
    if (isString(item)) return container.includes(item);
    throw new TemplateError(`'in <string>' requires string as left operand, not ${typeName(item)}`);
  }
  if (isDict(container)) return isString(item) && Object.hasOwn(container, item);
  if (isList(container)) return container.some((other) => equal(other, item));
  if (container instanceof Undefined) return false;
  throw new TemplateError(`argument of type '${typeName(container)}' is not iterable`);
}

export function arithmetic(operator: string, a: Value, b: Value): Value {
  for (const value of [a, b]) if (value instanceof Undefined) throw new TemplateError(value.message);
  if (operator === '+') {
    if (isString(a) && isString(b)) return bounded(a.length + b.length, () => a + b);
    if (isList(a) && isList(b)) return bounded(a.length + b.length, () => [...a, ...b]);
    if (isString(a) || isList(a)) {
      throw new TemplateError(`can only concatenate ${typeName(a)} (not "${typeName(b)}") to ${typeName(a)}`);
    }
  }
  const x = numeric(a);
  const y = numeric(b);
  if (operator === '*' && isString(a) && y !== undefined) return bounded(a.length * y, () => a.repeat(Math.max(0, y)));
  if (x === undefined || y === undefined) {
    throw new TemplateError(`unsupported operand type(s) for ${operator}: '${typeName(a)}' and '${typeName(b)}'`);
  }
  if (y === 0 && (operator === '/' || operator === '//' || operator === '%'))
    throw new TemplateError('division by zero');
  const result = calculate(operator, x, y);
  return operator === '/' || isFloat(a) || isFloat(b) ? float(result) : result;
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

export function compareValues(operator: string, a: Value, b: Value): boolean {
  for (const value of [a, b]) if (value instanceof Undefined) throw new TemplateError(value.message);
  const x = numeric(a);
  const y = numeric(b);
  let order: number;
  if (x !== undefined && y !== undefined) order = x - y;
  else if (isString(a) && isString(b)) order = Buffer.compare(Buffer.from(a), Buffer.from(b));
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
  return bounded(left.length + right.length, () => left + right);
}

function bounded<T>(size: number, make: () => T): T {
  if (size > MAX_STRING) throw new TemplateError(`a value of the template grew beyond ${MAX_STRING} characters`);
  return make();
}
