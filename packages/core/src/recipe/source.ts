import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  parseDocument,
  type Range,
} from 'yaml';
import { UserError } from '../errors.ts';
import { excludedBy } from './exclusive.ts';
import type { Finding, KeyPath, Location, RecipeProblem } from './problem.ts';

/** A recipe as text: knows where every key was written. */
export interface RecipeSource {
  file: string;
  document: Document.Parsed;
  lines: LineCounter;
  /** Paths that `--set` has written; later ones win. */
  overrides: KeyPath[];
}

export function located(source: RecipeSource, finding: Finding): RecipeProblem {
  const { part, ...problem } = finding;
  return { ...problem, ...locate(source, finding.path, part) };
}

/** The place of a key or value; of the nearest thing around it when it was not written. */
export function locate(source: RecipeSource, path: KeyPath, part: 'key' | 'value' = 'value'): Location {
  const override = source.overrides.findLast((set) => set.every((step, i) => String(step) === String(path[i])));
  if (override) return { where: `--set ${override.join('.')}` };
  let offset = 0;
  let end: number | undefined;
  let node: unknown = source.document.contents;
  for (const [depth, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(source.document);
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
      if (!pair) break;
      const atKey = part === 'key' && depth === path.length - 1;
      node = pair.value;
      const written = [atKey ? pair.key : pair.value, pair.key].find(isPlaced);
      offset = written?.range[0] ?? offset;
      end = written?.range[1];
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      if (node === undefined) break;
      if (isPlaced(node)) [offset, end] = node.range;
    } else break;
  }
  return at(source, offset, end);
}

export function at(
  source: Pick<RecipeSource, 'file' | 'lines'>,
  offset: number,
  end?: number,
): Location & { line: number } {
  const { line, col } = source.lines.linePos(offset);
  const last = end === undefined || end <= offset ? undefined : source.lines.linePos(end);
  return {
    where: `${source.file}:${Math.max(1, line)}:${Math.max(1, col)}`,
    line: Math.max(1, line),
    column: Math.max(1, col),
    ...(last && { endLine: last.line, endColumn: last.col }),
  };
}

function isPlaced(node: unknown): node is Node & { range: Range } {
  return isNode(node) && node.range != null;
}

/**
 * Applies `key=value` from the command line to the document, so that what is recorded as written holds them too.
 * A key that excludes another one replaces it. The value is YAML: `learning_rate=1e-4`, `datasets.0.path=x.jsonl`, `adapter=null`, `roles_to_train=[user, assistant]`.
 */
export function applyOverrides(source: RecipeSource, assignments: readonly string[]): void {
  for (const assignment of assignments) {
    const equals = assignment.indexOf('=');
    const key = assignment.slice(0, equals).trim();
    const where = `--set ${assignment}`;
    if (equals < 0 || !/^[^.\s]+(\.[^.\s]+)*$/.test(key)) {
      throw new UserError({
        what: `\`${assignment}\` does not name a key and a value`,
        where,
        next: 'write it like --set learning_rate=1e-4 or --set datasets.0.path=data.jsonl',
        code: 'override_malformed',
      });
    }
    const value = parseDocument(assignment.slice(equals + 1));
    if (value.errors[0]) {
      throw new UserError({
        what: `the value of \`${key}\` is not valid YAML: ${firstLine(value.errors[0].message)}`,
        where,
        next: 'put texts with special characters in quotes',
        code: 'override_malformed',
      });
    }
    const path = pathInDocument(source, key.split('.'), where);
    const before = source.document.getIn(path, true);
    if (isScalar(before) && isScalar(value.contents)) value.contents.comment = before.comment ?? null;
    source.document.setIn(path, value.contents);
    source.overrides.push(path);
  }
  for (const [key] of source.overrides) if (source.document.get(key) !== null) replaceExcluded(source, String(key));
}

/** The recipe's other way to say what the command line now says. Two ways on the command line are a mistake, found later. */
function replaceExcluded({ document, overrides }: RecipeSource, key: string): void {
  for (const other of excludedBy(key)) {
    if (overrides.some(([first]) => first === other) || !document.has(other)) continue;
    // A resolved recipe has every key, so there it stays, and is not set.
    document.set(other, null);
  }
}

/** Turns list positions into numbers and refuses a path that the document has no place for; a mapping that is not there yet is made. */
function pathInDocument(source: RecipeSource, steps: string[], where: string): KeyPath {
  const path: (string | number)[] = [];
  for (const [depth, step] of steps.entries()) {
    const parent: unknown = depth === 0 ? source.document.contents : source.document.getIn(path, true);
    if (isSeq(parent)) {
      const index = Number(step);
      if (!/^\d+$/.test(step) || index > parent.items.length) {
        throw new UserError({
          what: `\`${path.join('.')}\` is a list of ${parent.items.length}; it has no place \`${step}\``,
          where,
          next: `write a position from 0 to ${parent.items.length}; the last one adds an entry`,
          code: 'override_without_place',
        });
      }
      path.push(index);
    } else if (isMap(parent)) {
      path.push(step);
    } else if (isAbsent(parent) && !/^\d+$/.test(step)) {
      if (parent) source.document.deleteIn(path);
      path.push(step);
    } else {
      throw new UserError({
        what: `the recipe has nothing at \`${path.join('.')}\` that \`${step}\` could belong to`,
        where,
        next: `set \`${path.join('.')}\` as a whole first`,
        code: 'override_without_place',
      });
    }
  }
  return path;
}

function isAbsent(node: unknown): boolean {
  return node === undefined || (isScalar(node) && node.value === null);
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? text;
}
