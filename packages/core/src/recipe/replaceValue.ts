import { isScalar, parseDocument } from 'yaml';
import type { KeyPath } from './problem.ts';

/**
 * The text of a recipe with another value in a place, every other character as it was.
 * @throws Error where no plain value stands there
 */
export function replaceValue(text: string, path: KeyPath, value: string): string {
  const node = parseDocument(text).getIn(path, true);
  if (!isScalar(node) || !node.range) throw new Error(`no value at ${path.join('.')}`);
  const [start, end] = node.range;
  return text.slice(0, start) + JSON.stringify(value) + text.slice(end);
}
