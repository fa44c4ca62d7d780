import type { Given } from './arguments.ts';
import { TemplateError } from './errors.ts';
import { iterableKind } from './iterables.ts';
import { allocate, charge, chargeText } from './meter.ts';
import {
  floatRepr,
  isDict,
  isList,
  isString,
  joined,
  keysOf,
  numeric,
  PythonNumber,
  truthy,
  typeName,
  type Value,
} from './values.ts';

/**
 * The `tojson` filter as transformers defines it: json.dumps with `ensure_ascii=False`, so ", " and ": " between items.
 * The arguments have json.dumps' meaning.
 */
export function toJson(value: Value, [ensureAscii, indent, separators, sortKeys]: Given = []): string {
  const width =
    indent === undefined || indent === null ? undefined : isString(indent) ? indent : ' '.repeat(widthOf(indent));
  const [itemSeparator, keySeparator] =
    separators !== undefined && isList(separators)
      ? (separators as [string, string])
      : [width === undefined ? ', ' : ',', ': '];

  const string = (text: string): string => {
    charge(1 + (text.length >>> 2));
    allocate(2 * text.length);
    const json = JSON.stringify(text);
    chargeText(json.length);
    if (ensureAscii === undefined || !truthy(ensureAscii)) return json;
    charge(2 * json.length);
    allocate(6 * json.length);
    return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  };
  const container = (open: string, close: string, items: readonly string[], depth: number): string => {
    if (items.length === 0) return open + close;
    if (width === undefined) return joined(open, items, itemSeparator, close);
    chargeText((depth + 1) * width.length * (items.length + 2));
    const inner = `\n${width.repeat(depth + 1)}`;
    return joined(open + inner, items, itemSeparator + inner, `\n${width.repeat(depth)}${close}`);
  };
  const dump = (item: Value, depth: number): string => {
    charge(2);
    if (item === null || typeof item === 'boolean') return JSON.stringify(item);
    if (isString(item)) return string(item);
    if (item instanceof PythonNumber) return item.text;
    if (typeof item === 'number') return Number.isInteger(item) ? String(item) : floatRepr(item);
    if (isList(item) && iterableKind(item) === null)
      return container(
        '[',
        ']',
        item.map((child) => dump(child, depth + 1)),
        depth,
      );
    if (!isDict(item)) throw new TemplateError(`Object of type ${typeName(item)} is not JSON serializable`);
    const keys = keysOf(item);
    if (sortKeys !== undefined && truthy(sortKeys)) keys.sort();
    return container(
      '{',
      '}',
      keys.map((key) => string(key) + keySeparator + dump(item[key] as Value, depth + 1)),
      depth,
    );
  };
  return dump(value, 0);
}

function widthOf(indent: Value): number {
  const width = Math.max(0, Math.floor(numeric(indent) ?? 0));
  chargeText(width);
  return width;
}
