import { boundArguments } from './arguments.ts';
import { TemplateError } from './errors.ts';
import { iterable } from './iterables.ts';
import { charge, chargeList } from './meter.ts';
import { copyOf, iterate, setKey } from './operators.ts';
import { strftime } from './strftime.ts';
import { type Callable, type Dict, isDict, isList, Namespace, numeric, str, type Value } from './values.ts';

/** As Jinja's sandbox. */
const MAX_RANGE = 100_000;

/** Jinja has them, templates of chats do not use them: taken as undefined, they would print nothing. */
export const UNKNOWN_GLOBALS: ReadonlySet<string> = new Set(['lipsum', 'self', 'super']);

/** What a template can name without having set it: Jinja's globals and those that transformers adds. */
export function globals(now: Date): Record<string, Value> {
  const functions: Record<string, Callable> = {
    raise_exception: ([message]) => {
      throw new TemplateError(str(message ?? null));
    },
    strftime_now: ([format]) => strftime(now, str(format ?? '')),
    range: (args) => iterable('range', range(args.map((value) => numeric(value) ?? 0))),
    namespace: ([initial], kwargs) =>
      new Namespace(new Map(Object.entries(copyOf(initial !== undefined && isDict(initial) ? initial : {}, kwargs)))),
    dict: ([initial], kwargs) => copyOf(fromPairs(initial), kwargs),
    cycler: (items, kwargs) => {
      boundArguments('cycler', [], [], kwargs);
      return cycler(items);
    },
    joiner: (args, kwargs) => joiner(boundArguments('joiner', ['sep'], args, kwargs)[0] ?? ', '),
  };
  return { ...functions, true: true, True: true, false: false, False: false, none: null, None: null };
}

/** Gives its items in turn, wherever it is asked. */
function cycler(items: readonly Value[]): Value {
  if (items.length === 0) throw new TemplateError('cycler() needs at least one item');
  chargeList(items.length);
  let at = 0;
  const current = (): Value => items[at] as Value;
  const next: Callable = () => {
    const item = current();
    at = (at + 1) % items.length;
    return item;
  };
  const reset: Callable = () => {
    at = 0;
    return null;
  };
  return {
    get current() {
      return current();
    },
    get pos() {
      return at;
    },
    next,
    reset,
  };
}

/** Nothing the first time it is called, the separator from then on. */
function joiner(separator: Value): Callable {
  let used = false;
  return (args, kwargs) => {
    boundArguments('a joiner', [], args, kwargs);
    if (used) return separator;
    used = true;
    return '';
  };
}

function fromPairs(value: Value | undefined): Dict {
  if (value !== undefined && isList(value)) {
    chargeList(8 * value.length);
    const dict: Record<string, Value> = {};
    for (const pair of iterate(value)) {
      if (!isList(pair) || pair.length !== 2) throw new TemplateError('dict() needs a list of pairs');
      setKey(dict, str(pair[0] as Value), pair[1] as Value);
    }
    return dict;
  }
  return value !== undefined && isDict(value) ? value : {};
}

function range([first = 0, second, step = 1]: readonly number[]): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  if (step === 0) throw new TemplateError('range() arg 3 must not be zero');
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (count > MAX_RANGE) {
    throw new TemplateError(`Range too big. The sandbox blocks ranges larger than MAX_RANGE (${MAX_RANGE}).`);
  }
  chargeList(count);
  charge(count);
  return Array.from({ length: count }, (_, i) => start + i * step);
}
