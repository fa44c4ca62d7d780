import { TemplateError } from './errors.ts';
import { isIndexed, iterate } from './operators.ts';
import { islower, isupper } from './strings.ts';
import {
  equal,
  isCallable,
  isDict,
  isFloat,
  isInteger,
  isList,
  isString,
  numeric,
  str,
  typeName,
  Undefined,
  type Value,
} from './values.ts';

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
  sequence: (value) => isString(value) || isIndexed(value) || isDict(value) || value instanceof Undefined,
  callable: isCallable,
  odd: (value) => Math.abs(numberOf(value, 'odd') % 2) === 1,
  even: (value) => numberOf(value, 'even') % 2 === 0,
  divisibleby: (value, by) => numberOf(value, 'divisibleby') % numberOf(by ?? null, 'divisibleby') === 0,
  lower: (value) => islower(str(value)),
  upper: (value) => isupper(str(value)),
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

/** @param what asks for it */
export function numberOf(value: Value, what: string): number {
  const number = numeric(value);
  if (number !== undefined) return number;
  throw new TemplateError(
    value instanceof Undefined ? value.message : `${what} needs a number, not '${typeName(value)}'`,
  );
}
