import type { ChangedKey } from '@anneal/core/protocol/studio';
import { parseYaml, plainValue } from '@anneal/core/recipe/yamlText';

/** The keys for which two texts of a recipe differ, comments and order aside; undefined where one of them is not YAML. */
export function changedKeys(from: string, to: string): ChangedKey[] | undefined {
  const [before, after] = [leavesOf(from), leavesOf(to)];
  if (!before || !after) return undefined;
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => before.get(key) !== after.get(key))
    .map((key) => ({ key, from: before.get(key), to: after.get(key) }));
}

/** Each value that is no mapping and no list, under its path: `datasets.0.path`. */
function leavesOf(text: string): Map<string, string> | undefined {
  const source = parseYaml(text, 'recipe');
  const value = source.document.errors.length === 0 ? plainValue(source) : undefined;
  if (!value?.ok) return undefined;
  const found = new Map<string, string>();
  const visit = (node: unknown, path: readonly string[]): void => {
    const inside = typeof node === 'object' && node !== null ? Object.entries(node) : [];
    if (inside.length === 0 && path.length > 0) found.set(path.join('.'), JSON.stringify(node));
    for (const [key, child] of inside) visit(child, [...path, key]);
  };
  visit(value.plain, []);
  return found;
}
