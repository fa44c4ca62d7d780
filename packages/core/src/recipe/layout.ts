import { Document, isPair, isScalar, type Pair, visit, type YAMLMap } from 'yaml';
import { sections } from './schema.ts';

/** A YAML document of recipe keys in the order of the schema, with a heading for each section. */
export function layOut(values: Readonly<Record<string, unknown>>): { document: Document; root: YAMLMap } {
  const groups = sections.map(({ title, keys }) => ({ title, keys: Object.keys(keys).filter((key) => key in values) }));
  const ordered = Object.fromEntries(groups.flatMap(({ keys }) => keys.map((key) => [key, values[key]])));
  const document = new Document(ordered, { aliasDuplicateObjects: false });
  const root = document.contents as YAMLMap;
  visit(document, {
    Collection: (_, node) => void (node.flow = node.items.length === 0 || node.items.every(holdsOneValue)),
  });
  root.flow = false;
  for (const { title, keys } of groups) {
    const first = root.items.find((pair) => keyOf(pair) === keys[0]);
    if (first && isScalar(first.key)) {
      first.key.spaceBefore = first !== root.items[0];
      first.key.commentBefore = ` ${title}`;
    }
  }
  return { document, root };
}

export function write(document: Document): string {
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

export function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

/** Lists and mappings of single values go on one line. */
function holdsOneValue(item: unknown): boolean {
  return isScalar(item) || (isPair(item) && isScalar(item.value));
}
