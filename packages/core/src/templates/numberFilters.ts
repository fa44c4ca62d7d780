import type { Given } from './arguments.ts';
import { TemplateError } from './errors.ts';
import { charge } from './meter.ts';
import { numberOf } from './tests.ts';
import { float, isFloat, isString, numberFromJson, numeric, type Value } from './values.ts';

export function abs(value: Value): Value {
  const number = Math.abs(numberOf(value, 'abs'));
  return isFloat(value) ? float(number) : number;
}

export function round(value: Value, [precision = 0, method = 'common']: Given): Value {
  const number = numberOf(value, 'round');
  const digits = numeric(precision) ?? 0;
  if (method === 'common') {
    const rounded = roundLikePython(number, digits);
    return isFloat(value) ? float(rounded) : rounded;
  }
  if (method !== 'ceil' && method !== 'floor') throw new TemplateError('method must be common, ceil or floor');
  return float(Math[method](number * 10 ** digits) / 10 ** digits);
}

// Each takes a text in one way only: with two, a long run of digits would be read as often as it has digits.
const INTEGER = /^\s*([+-]?)(\d+(?:_\d+)*)\s*$/;
const FLOAT = /^\s*[+-]?(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:e[+-]?\d+)?\s*$/i;
const NO_NUMBER = /^\s*([+-]?)(?:(inf(?:inity)?)|nan)\s*$/i;

/** Python's float() of a text; null where it refuses. */
function floatIn(text: string): number | null {
  charge(text.length >>> 4);
  if (FLOAT.test(text)) return Number(text.replaceAll('_', ''));
  const [, sign, infinite] = NO_NUMBER.exec(text) ?? [];
  if (sign === undefined) return null;
  return infinite === undefined ? Number.NaN : sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

export function toInteger(value: Value, [otherwise = 0]: Given): Value {
  if (isString(value)) {
    charge(value.length >>> 4);
    const [, sign, digits] = INTEGER.exec(value) ?? [];
    if (digits !== undefined) {
      const significant = digits.replaceAll('_', '').replace(/^0+(?=\d)/, '');
      return numberFromJson(`${sign === '-' ? '-' : ''}${significant}`);
    }
  }
  const number = isString(value) ? floatIn(value) : (numeric(value) ?? null);
  return number === null || !Number.isFinite(number) ? otherwise : Math.trunc(number);
}

export function toFloat(value: Value, [otherwise = float(0)]: Given): Value {
  const number = isString(value) ? floatIn(value) : (numeric(value) ?? null);
  return number === null ? otherwise : float(number);
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
