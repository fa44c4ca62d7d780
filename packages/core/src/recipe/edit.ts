/** Changes of a recipe's text, one value at a time, found through its syntax tree: all else stays as it was written. Browser-safe. */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parse,
  parseDocument,
  stringify,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';

/** As `KeyPath`: `['datasets', 0, 'path']`. */
type Path = readonly (string | number)[];

/** At a place of the text: so many characters go, and these come. */
export interface TextEdit {
  at: number;
  remove: number;
  insert: string;
}

export interface ParsedText {
  text: string;
  /** Undefined where the text is no mapping of keys, or not YAML. */
  document: Document.Parsed | undefined;
}

/** A value as it stands in the text. */
export interface WrittenValue {
  value: unknown;
  source: string;
  /** Both count from 1. */
  line: number;
  column: number;
}

export function parseText(text: string): ParsedText {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error', lineCounter: new LineCounter() });
  const isSound = document.errors.length === 0 && (document.contents === null || isMap(document.contents));
  return { text, document: isSound ? document : undefined };
}

/** Undefined where the key is not written. */
export function readValue({ text, document }: ParsedText, path: Path): WrittenValue | undefined {
  const found = document && find(document, path);
  if (!found) return undefined;
  const node = found.node;
  const [start, end] = isPlaced(node) ? node.range : [found.start, found.start];
  const line = text.slice(0, start).split('\n').length;
  return {
    value: isNode(node) ? node.toJS(document as Document) : null,
    source: text.slice(start, end),
    line,
    column: start - lineStart(text, start) + 1,
  };
}

/** The names of the keys that a mapping holds, in their order. */
export function writtenKeys({ document }: ParsedText, path: Path = []): string[] {
  const node = path.length === 0 ? document?.contents : document && find(document, path)?.node;
  return isMap(node) ? node.items.map(keyOf) : [];
}

/** A value in YAML that fits on one line. @param like how it was written before: its quotes stay */
export function sourceOf(value: unknown, like = ''): string {
  if (typeof value === 'string' && like.startsWith('"')) return JSON.stringify(value);
  // Within a list in brackets, where a comma needs quotes as well.
  return stringify([value], { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 })
    .trim()
    .slice(1, -1);
}

/**
 * Writes a value; a new key goes to its place in `order`. Undefined where that cannot be done without a change of anything else.
 * @param source YAML; what begins with a line break is a block below the key
 */
export function setValue(text: string, path: Path, source: string, order: readonly string[]): TextEdit | undefined {
  const parsed = parseText(text);
  const { document } = parsed;
  if (!document) return undefined;
  const value = parse(`x:${spaced(source)}`).x;
  const found = find(document, path);
  const edit = found ? replacement(text, found, source) : insertion(parsed, path, source, order);
  return edit && verified(parsed, edit, path, () => value);
}

/** What would write a key that is not there yet, not looked at any further. */
export function newKey(parsed: ParsedText, path: Path, source: string, order: readonly string[]): TextEdit | undefined {
  return parsed.document && !find(parsed.document, path) ? insertion(parsed, path, source, order) : undefined;
}

/** Takes a key out with its line, or an item out of its list. */
export function removeValue(text: string, path: Path): TextEdit | undefined {
  const parsed = parseText(text);
  const found = parsed.document && find(parsed.document, path);
  const edit = found && removal(text, found);
  return edit && verified(parsed, edit, path, undefined);
}

/** Puts an item at the end of a list that is written. @param source YAML of the item, on one line */
export function appendItem(text: string, path: Path, source: string): TextEdit | undefined {
  const parsed = parseText(text);
  const list = parsed.document && find(parsed.document, path)?.node;
  const last = isSeq(list) ? list.items.at(-1) : undefined;
  if (!isSeq(list) || !isPlaced(list) || !isPlaced(last)) return undefined;
  const insert = list.flow
    ? `, ${source}`
    : `\n${' '.repeat(list.range[0] - lineStart(text, list.range[0]))}- ${source}`;
  const at = list.flow ? last.range[1] : lastLineEnd(text, last.range[1]);
  const [item] = parse(`- ${source}`);
  return verified(parsed, { at, remove: 0, insert }, [...path, list.items.length], () => item);
}

export function applyEdit(text: string, { at, remove, insert }: TextEdit): string {
  return text.slice(0, at) + insert + text.slice(at + remove);
}

/** Where a value stands, and what it stands in. */
interface Found {
  node: unknown;
  parent: YAMLMap | YAMLSeq;
  index: number;
  /** Where its key begins, or the item of a list. */
  start: number;
  keyEnd: number;
}

/** Undefined where it is not written, or an alias stands on the way. */
function find(document: Document, path: Path): Found | undefined {
  let node: unknown = document.contents;
  let found: Found | undefined;
  for (const step of path) {
    if (!isMap(node) && !isSeq(node)) return undefined;
    const parent: YAMLMap | YAMLSeq = node;
    const index = isMap(parent) ? parent.items.findIndex((pair) => keyOf(pair) === String(step)) : Number(step);
    const item: unknown = parent.items[index];
    if (item === undefined) return undefined;
    const key = isMap(parent) ? (item as Pair).key : item;
    node = isMap(parent) ? (item as Pair).value : item;
    if (!isPlaced(key)) return undefined;
    found = { node, parent, index, start: key.range[0], keyEnd: key.range[1] };
  }
  return found;
}

function replacement(text: string, { node, keyEnd }: Found, source: string): TextEdit | undefined {
  if (isAlias(node)) return undefined;
  if (!isPlaced(node) || node.range[0] === node.range[1]) {
    const colon = text.indexOf(':', keyEnd);
    return { at: colon + 1, remove: 0, insert: spaced(source) };
  }
  const end = trimmedEnd(text, node.range[1]);
  // A block begins on the line after its key, where nothing else can stand.
  if (isCollection(node) && !node.flow) return undefined;
  // A block leaves no space behind its key.
  const start = source.startsWith('\n') ? text.lastIndexOf(':', node.range[0]) + 1 : node.range[0];
  return { at: start, remove: end - start, insert: source };
}

function insertion(
  { text, document }: ParsedText,
  path: Path,
  source: string,
  order: readonly string[],
): TextEdit | undefined {
  const key = String(path.at(-1));
  const line = `${key}:${spaced(source)}`;
  const parent = path.length === 1 ? document?.contents : document && find(document, path.slice(0, -1))?.node;
  if (parent === null && path.length === 1) {
    const isOnNewLine = text === '' || text.endsWith('\n');
    return { at: text.length, remove: 0, insert: `${isOnNewLine ? '' : '\n'}${line}\n` };
  }
  if (!isMap(parent) || !isPlaced(parent)) return undefined;
  const before = parent.items[lastBefore(parent, key, order)];
  if (parent.flow) {
    const last = parent.items.at(-1);
    if (!last) return { at: parent.range[0] + 1, remove: 0, insert: line };
    return { at: endOfPair(last), remove: 0, insert: `, ${line}` };
  }
  const first = parent.items[0];
  if (!first || !isPlaced(first.key)) return undefined;
  const indent = ' '.repeat(first.key.range[0] - lineStart(text, first.key.range[0]));
  if (!before) return { at: first.key.range[0], remove: 0, insert: `${line}\n${indent}` };
  return { at: lastLineEnd(text, endOfPair(before)), remove: 0, insert: `\n${indent}${line}` };
}

/** Of the keys that come before it in the order, the last that is written; the last of all for a key without a place. */
function lastBefore(map: YAMLMap, key: string, order: readonly string[]): number {
  const place = order.indexOf(key);
  return map.items.findLastIndex((pair) => place < 0 || order.slice(0, place).includes(keyOf(pair)));
}

function removal(text: string, { parent, index, node, start, keyEnd }: Found): TextEdit | undefined {
  const end = isPlaced(node) ? Math.max(keyEnd, node.range[1]) : keyEnd;
  const next = startOf(parent.items[index + 1]);
  if (parent.flow) {
    if (next !== undefined) return { at: start, remove: next - start, insert: '' };
    const before: unknown = parent.items[index - 1];
    const from = before === undefined ? start : isMap(parent) ? endOfPair(before as Pair) : endOf(before, start);
    return { at: from, remove: end - from, insert: '' };
  }
  const first = lineStart(text, start);
  const isAlone = /^\s*(- *)?$/.test(text.slice(first, start));
  const isAfterDash = text.slice(first, start).trim() !== '' && isMap(parent);
  // The first key of an item stands beside its dash, which the next key takes over.
  if (isAfterDash && next !== undefined) return { at: start, remove: next - start, insert: '' };
  if (!isAlone || isAfterDash) return undefined;
  const last = lastLineEnd(text, end);
  return { at: first, remove: Math.min(text.length, last + 1) - first, insert: '' };
}

/** An edit after which the recipe says what it said before, but for this value. */
function verified(
  { text, document }: ParsedText,
  edit: TextEdit,
  path: Path,
  value: (() => unknown) | undefined,
): TextEdit | undefined {
  const after = parseText(applyEdit(text, edit)).document;
  if (!after || !document) return undefined;
  const expected = document.toJS() ?? {};
  let place = expected;
  for (const step of path.slice(0, -1)) place = place?.[step];
  const last = path.at(-1) as string | number;
  if (typeof place !== 'object' || place === null) return undefined;
  if (value) place[last] = value();
  else if (Array.isArray(place)) place.splice(Number(last), 1);
  else delete place[last];
  return isSame(after.toJS() ?? {}, expected) ? edit : undefined;
}

type Plain = Record<string, unknown>;

/** Whatever the order of the keys. */
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  return (
    Array.isArray(a) === Array.isArray(b) &&
    keys.length === others.length &&
    keys.every((key) => Object.hasOwn(b, key) && isSame((a as Plain)[key], (b as Plain)[key]))
  );
}

const spaced = (source: string): string => (source.startsWith('\n') ? source : ` ${source}`);
const lineStart = (text: string, at: number): number => text.lastIndexOf('\n', at - 1) + 1;

/** Without the white space and the line breaks that a block takes with it. */
function trimmedEnd(text: string, end: number): number {
  return text.slice(0, end).trimEnd().length;
}

/** The end of the line in which a value ends: a comment beside it belongs to it. */
function lastLineEnd(text: string, end: number): number {
  const newline = text.indexOf('\n', trimmedEnd(text, end));
  return newline < 0 ? text.length : newline;
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

function endOfPair(pair: Pair): number {
  return Math.max(endOf(pair.key, 0), endOf(pair.value, 0));
}

const endOf = (node: unknown, otherwise: number): number => (isPlaced(node) ? node.range[1] : otherwise);

function startOf(item: unknown): number | undefined {
  const node = typeof item === 'object' && item !== null && 'key' in item ? item.key : item;
  return isPlaced(node) ? node.range[0] : undefined;
}

function isPlaced(node: unknown): node is Node & { range: [number, number, number] } {
  return isNode(node) && node.range != null;
}
