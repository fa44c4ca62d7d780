import { isCollection, isMap, isScalar, isSeq, type YAMLMap } from 'yaml';
import { keyOf, layOut, write } from './layout.ts';
import type { ResolvedRecipe } from './resolve.ts';
import type { Recipe } from './schema.ts';

/** The text of recipe.resolved.yaml. Values that `written` does not hold are marked `# default`. */
export function toYaml(resolved: ResolvedRecipe, written?: Recipe): string {
  const { document, root } = layOut({ ...resolved });
  document.commentBefore = ' Every setting of the run, defaults written out. Made by Anneal from recipe.yaml.';
  if (written) {
    markDefaults(root, written);
    for (const list of ['datasets', 'test_datasets'] as const) {
      const node = root.get(list);
      if (!isSeq(node)) continue;
      for (const [i, item] of node.items.entries()) if (isMap(item)) markDefaults(item, written[list]?.[i] ?? {});
    }
  }
  return write(document);
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
