import { Document, isCollection, isMap, isPair, isScalar, isSeq, type Pair, visit, type YAMLMap } from 'yaml';
import type { ResolvedRecipe } from './resolve.ts';
import { type Recipe, sections } from './schema.ts';

/**
 * The text of recipe.resolved.yaml: every key in the order of the schema, by section.
 * Values that `written` does not hold are marked `# default`.
 */
export function toYaml(resolved: ResolvedRecipe, written?: Recipe): string {
  const keys = sections.flatMap((section) => Object.keys(section.keys));
  const ordered = Object.fromEntries(keys.map((key) => [key, resolved[key as keyof ResolvedRecipe]]));
  const document = new Document(ordered, { aliasDuplicateObjects: false });
  document.commentBefore = ' Every setting of the run, defaults written out. Made by Anneal from recipe.yaml.';
  const root = document.contents as YAMLMap;
  visit(document, { Collection: (_, node) => void (node.flow = node.items.every(holdsOneValue)) });
  for (const { title, keys: sectionKeys } of sections) {
    const first = root.items.find((pair) => keyOf(pair) === Object.keys(sectionKeys)[0]);
    if (first && isScalar(first.key)) {
      first.key.spaceBefore = first !== root.items[0];
      first.key.commentBefore = ` ${title}`;
    }
  }
  if (written) {
    markDefaults(root, written);
    for (const list of ['datasets', 'test_datasets'] as const) {
      const node = root.get(list);
      if (!isSeq(node)) continue;
      for (const [i, item] of node.items.entries()) if (isMap(item)) markDefaults(item, written[list]?.[i] ?? {});
    }
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function markDefaults(map: YAMLMap, written: object): void {
  for (const pair of map.items) {
    const key = keyOf(pair);
    const value = (written as Record<string, unknown>)[key];
    if (value !== undefined && !(value === null && key !== 'adapter')) continue;
    if (isScalar(pair.value)) pair.value.comment = ' default';
    else if (isCollection(pair.value) && pair.value.flow) pair.value.comment = ' default';
    else if (isScalar(pair.key))
      pair.key.commentBefore = [pair.key.commentBefore, ' default'].filter(Boolean).join('\n');
  }
}

/** Lists and mappings of single values go on one line. */
function holdsOneValue(item: unknown): boolean {
  return isScalar(item) || (isPair(item) && isScalar(item.value));
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}
