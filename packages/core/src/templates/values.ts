import { iterableKind, refusePrinted } from './iterables.ts';
import { allocate, charge, chargeKey, chargeList, chargeText } from './meter.ts';

/**
 * Python's values as chat templates see them. Plain JSON is used as it is: objects are dicts (own keys only), arrays are lists and tuples.
 * Templates are written and tested against Python, so what can be seen in a prompt (printing, truth, equality, errors) is Python's.
 */
export type Value =
  | Undefined
  | null
  | boolean
  | number
  | PythonNumber
  | string
  | readonly Value[]
  | Dict
  | Namespace
  | Callable;
export type Dict = { readonly [key: string]: Value };
export type Callable = (args: readonly Value[], kwargs: Kwargs) => Value;
export type Kwargs = Readonly<Record<string, Value>>;

/** Printed in parentheses and equal to no list; otherwise one. */
class Tuple extends Array<Value> {
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }
}
export const tuple = (items: readonly Value[]): readonly Value[] => Tuple.from(items);
export const isTuple = (value: Value): boolean => value instanceof Tuple;

/** A missing variable or attribute: empty when printed, false when tested, an error when used. */
export class Undefined {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/** The first that was given. Unlike `??` it keeps None, which is null here. */
export function firstGiven(...values: readonly [...(Value | undefined)[], Value]): Value {
  return values.find((value) => value !== undefined) as Value;
}

/** The only thing templates may assign attributes of. */
export class Namespace {
  readonly attributes: Map<string, Value>;
  constructor(attributes: Map<string, Value>) {
    this.attributes = attributes;
  }
}

/** A number that JavaScript would print otherwise than Python: 1.0, 1e-07, an integer beyond 2⁵³. */
export class PythonNumber {
  readonly text: string;
  readonly value: number;
  readonly isInteger: boolean;
  constructor(text: string, value: number, isInteger: boolean) {
    this.text = text;
    this.value = value;
    this.isInteger = isInteger;
  }
  toJSON(): number {
    return this.value;
  }
}

/** A Python float. */
export function float(value: number): Value {
  const text = floatRepr(value);
  return text === String(value) ? value : new PythonNumber(text, value, false);
}

/** The number a JSON text spells, as Python reads it. */
export function numberFromJson(source: string): number | PythonNumber {
  const value = Number(source);
  const isInteger = /^-?\d+$/.test(source);
  const text = isInteger ? (source === '-0' ? '0' : source) : floatRepr(value);
  return text === String(value) ? value : new PythonNumber(text, value, isInteger);
}

/** repr(float): the shortest digits, an exponent below 1e-4 and from 1e16 on. */
export function floatRepr(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const [mantissa = '', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

export const isString = (value: Value): value is string => typeof value === 'string';
export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
export const isCallable = (value: Value): value is Callable => typeof value === 'function';
export const isDict = (value: Value): value is Dict =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Undefined) &&
  !(value instanceof Namespace) &&
  !(value instanceof PythonNumber);
export const isInteger = (value: Value): boolean =>
  (typeof value === 'number' && Number.isInteger(value)) || (value instanceof PythonNumber && value.isInteger);
export const isFloat = (value: Value): boolean =>
  (typeof value === 'number' && !Number.isInteger(value)) || (value instanceof PythonNumber && !value.isInteger);

/** The value of a number or boolean; undefined for anything else. */
export function numeric(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  return value instanceof PythonNumber ? value.value : undefined;
}

export function typeName(value: Value): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'boolean') return 'bool';
  if (isString(value)) return 'str';
  if (isInteger(value)) return 'int';
  if (isFloat(value)) return 'float';
  if (isList(value)) return iterableKind(value) ?? (isTuple(value) ? 'tuple' : 'list');
  if (value instanceof Undefined) return 'Undefined';
  if (value instanceof Namespace) return 'Namespace';
  return isCallable(value) ? 'function' : 'dict';
}

export function truthy(value: Value): boolean {
  if (typeof value === 'boolean' || value === null) return value === true;
  if (isList(value)) return value.length > 0 || iterableKind(value) === 'generator';
  if (value instanceof PythonNumber) return value.value !== 0;
  if (value instanceof Undefined) return false;
  return isDict(value) ? keysOf(value).length > 0 : Boolean(value);
}

/** The keys of a dict, which are listed anew each time. */
export function keysOf(dict: Dict): string[] {
  const keys = Object.keys(dict);
  chargeList(keys.length);
  charge(2 * keys.length);
  return keys;
}

export function hasKey(dict: Dict, key: Value): key is string {
  if (!isString(key)) return false;
  chargeKey(key);
  return Object.hasOwn(dict, key);
}

export function equal(a: Value, b: Value): boolean {
  charge(1);
  if (isString(a) && isString(b)) {
    if (a.length === b.length) charge(a.length >>> 4);
    return a === b;
  }
  const x = numeric(a);
  if (x !== undefined) return x === numeric(b);
  if (a instanceof Undefined) return b instanceof Undefined;
  if (isList(a)) {
    return (
      isList(b) &&
      typeName(a) === typeName(b) &&
      a.length === b.length &&
      a.every((item, i) => equal(item, b[i] as Value))
    );
  }
  if (isDict(a) && isDict(b)) {
    const keys = keysOf(a);
    return (
      keys.length === keysOf(b).length && keys.every((key) => hasKey(b, key) && equal(a[key] as Value, b[key] as Value))
    );
  }
  return a === b;
}

/** str(value), which is also what `{{ value }}` prints. */
export function str(value: Value): string {
  return isString(value) ? value : value instanceof Undefined ? '' : repr(value);
}

export function repr(value: Value): string {
  charge(1);
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  if (value instanceof PythonNumber) return value.text;
  if (isString(value)) return stringRepr(value);
  const kind = iterableKind(value);
  if (kind !== null) refusePrinted(kind, '`| list` behind it makes a list of what is in it');
  if (isList(value)) {
    const [open, close] = isTuple(value) ? ['(', value.length === 1 ? ',)' : ')'] : ['[', ']'];
    return joined(open as string, value.map(repr), ', ', close as string);
  }
  if (value instanceof Undefined) return 'Undefined';
  if (value instanceof Namespace) return joined('<Namespace ', [repr(Object.fromEntries(value.attributes))], '', '>');
  if (isCallable(value)) refusePrinted('function', 'call it, with () behind its name');
  const items = keysOf(value).map((key) => `${stringRepr(key)}: ${repr(value[key] as Value)}`);
  return joined('{', items, ', ', '}');
}

/** Texts one after another in a new one. */
export function joined(open: string, items: readonly string[], separator: string, close: string): string {
  let length = open.length + close.length + separator.length * Math.max(0, items.length - 1);
  for (const item of items) length += item.length;
  charge(items.length >>> 2);
  chargeText(length);
  return open + items.join(separator) + close;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const UNPRINTABLE = /\\|(?! )[\p{C}\p{Z}]/u;
const ALL_UNPRINTABLE = new RegExp(UNPRINTABLE, 'gu');

function stringRepr(text: string): string {
  charge(text.length >>> 2);
  allocate(text.length);
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let body = text;
  if (UNPRINTABLE.test(text)) {
    charge(2 * text.length);
    body = text.replace(ALL_UNPRINTABLE, (character) => ESCAPES[character] ?? escapeCodePoint(character));
    allocate(body.length);
  }
  return quote + (quote === "'" ? body.replaceAll("'", "\\'") : body) + quote;
}

/** What Python holds unprintable: control and format characters, separators other than the blank. */
function escapeCodePoint(character: string): string {
  const hex = (character.codePointAt(0) as number).toString(16);
  if (hex.length <= 2) return `\\x${hex.padStart(2, '0')}`;
  return hex.length <= 4 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}
