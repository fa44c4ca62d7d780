import { boundArguments, type Given } from './arguments.ts';
import { codePointLength } from './codePoints.ts';
import { TemplateError } from './errors.ts';
import { iterable, iterableKind, taken } from './iterables.ts';
import { toJson } from './json.ts';
import { attributeOf, chosenFrom, dictsort, extreme, passes, sort, sum, unique } from './listFilters.ts';
import { allocate, charge, chargeList } from './meter.ts';
import { abs, round, toFloat, toInteger } from './numberFilters.ts';
import { entriesOf, iterate } from './operators.ts';
import {
  capitalize,
  chargeNew,
  joinPrinted,
  LINE_ENDS,
  lower,
  occurrences,
  replace,
  strip,
  titleOfWords,
  upper,
} from './strings.ts';
import { numberOf } from './tests.ts';
import {
  type Dict,
  firstGiven,
  isDict,
  isList,
  isString,
  type Kwargs,
  str,
  truthy,
  typeName,
  Undefined,
  type Value,
} from './values.ts';

type Filter = (value: Value, args: readonly Value[], kwargs: Kwargs) => Value;
type Choose = (...given: Parameters<Filter>) => readonly Value[];

/** Jinja's built-in filters that chat templates use, with the names of their arguments. */
const FILTERS: Readonly<Record<string, readonly [readonly string[], (value: Value, given: Given) => Value]>> = {
  tojson: [['ensure_ascii', 'indent', 'separators', 'sort_keys'], toJson],
  trim: [['chars'], (value, [characters]) => strip(str(value), characters, true, true)],
  string: [[], (value) => str(value)],
  safe: [[], (value) => value],
  upper: [[], (value) => upper(str(value))],
  lower: [[], (value) => lower(str(value))],
  title: [[], (value) => titleOfWords(str(value))],
  capitalize: [[], (value) => capitalize(str(value))],
  replace: [['old', 'new', 'count'], (value, [from, to, count]) => replace(str(value), from, to, count)],
  indent: [['width', 'first', 'blank'], indent],
  length: [[], length],
  count: [[], length],
  list: [[], toList],
  first: [[], firstItem],
  last: [[], lastItem],
  reverse: [[], reverse],
  join: [
    ['d', 'attribute'],
    (value, [separator = '', attribute]) =>
      joinPrinted(
        iterate(value).map((item) => attributeOf(item, attribute)),
        str(separator),
      ),
  ],
  unique: [['case_sensitive', 'attribute'], unique],
  sort: [['reverse', 'case_sensitive', 'attribute'], sort],
  min: [['case_sensitive', 'attribute'], extreme(-1)],
  max: [['case_sensitive', 'attribute'], extreme(1)],
  sum: [['attribute', 'start'], sum],
  abs: [[], abs],
  round: [['precision', 'method'], round],
  int: [['default'], toInteger],
  float: [['default'], toFloat],
  default: [['default_value', 'boolean'], fallback],
  d: [['default_value', 'boolean'], fallback],
  items: [
    [],
    (value) => iterable('generator', value instanceof Undefined ? [] : entriesOf(expectDict(value, 'items'))),
  ],
  dictsort: [['case_sensitive', 'by', 'reverse'], (value, given) => dictsort(expectDict(value, 'dictsort'), given)],
};

/** Those whose arguments are for another filter, or for a test. */
const CHOOSING: Readonly<Record<string, Choose>> = {
  map: (value, args, kwargs) => {
    if (args.length === 0 && kwargs.attribute !== undefined) {
      const [attribute, otherwise] = boundArguments('map', ['attribute', 'default'], [], kwargs);
      return chosenFrom(value).map((item) => {
        const found = attributeOf(item, attribute);
        return found instanceof Undefined && otherwise !== undefined ? otherwise : found;
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
  if (Object.hasOwn(CHOOSING, name)) {
    const choose = CHOOSING[name] as Choose;
    return (value, args, kwargs) =>
      iterable('generator', choose(value, args, name === 'map' ? kwargs : noNames(name, kwargs)));
  }
  const known = Object.hasOwn(FILTERS, name) ? FILTERS[name] : undefined;
  if (known === undefined) throw new TemplateError(`No filter named '${name}'.`);
  const [parameters, filter] = known;
  return (value, args, kwargs) => filter(value, boundArguments(name, parameters, args, kwargs));
}

function noNames(name: string, kwargs: Kwargs): Kwargs {
  boundArguments(name, [], [], kwargs);
  return kwargs;
}

function fallback(value: Value, [otherwise = '', also = false]: Given): Value {
  return value instanceof Undefined || (truthy(also) && !truthy(value)) ? otherwise : value;
}

function toList(value: Value): Value {
  const isUsedUp = iterableKind(value) === 'generator';
  const items = iterate(value);
  if (isUsedUp) return items;
  chargeList(items.length);
  return [...items];
}

function firstItem(value: Value): Value {
  const [item] = isList(value) ? taken(value, 1) : iterate(value);
  return firstGiven(item, new Undefined('No first item, sequence was empty.'));
}

function lastItem(value: Value): Value {
  if (iterableKind(value) === 'generator') throw new TemplateError("'generator' object is not reversible");
  return firstGiven(iterate(value).at(-1), new Undefined('No last item, sequence was empty.'));
}

function reverse(value: Value): Value {
  const isGenerator = iterableKind(value) === 'generator';
  const items = iterate(value);
  chargeList(items.length);
  if (isString(value)) return items.toReversed().join('');
  return isGenerator ? items.toReversed() : iterable('generator', items.toReversed());
}

function length(value: Value): Value {
  if (
    iterableKind(value) !== 'generator' &&
    (isString(value) || isList(value) || isDict(value) || value instanceof Undefined)
  ) {
    return isString(value) ? codePointLength(value) : iterate(value).length;
  }
  throw new TemplateError(`object of type '${typeName(value)}' has no len()`);
}

function indent(value: Value, [width = 4, first = false, blank = false]: Given): Value {
  const text = str(value);
  const most = occurrences(text, '\n') + (text.match(ALL_LINE_ENDS)?.length ?? 0);
  const size = isString(width) ? width.length : Math.max(0, numberOf(width, 'indent'));
  charge(4 * most);
  allocate(64 * most);
  chargeNew(text.length + size * (most + 1));
  const space = isString(width) ? width : ' '.repeat(size);
  // Jinja adds a line end before it splits, so that a text which ends with one keeps an empty line.
  const lines = `${text}\n`.split(LINE_ENDS).slice(0, -1);
  const isIndented = (line: string, i: number): boolean => (i === 0 ? truthy(first) : truthy(blank) || line !== '');
  return lines.map((line, i) => (isIndented(line, i) ? space + line : line)).join('\n');
}

const ALL_LINE_ENDS = new RegExp(LINE_ENDS, 'g');

function expectDict(value: Value, filter: string): Dict {
  if (isDict(value)) return value;
  throw new TemplateError(`${filter} needs a mapping, not '${typeName(value)}'`);
}
