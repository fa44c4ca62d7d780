/**
 * Checks who imports whom (scripts/imports/rules.ts), that no import goes round, what has to run in a browser, and that a package
 * lists what it imports.
 */
import { builtinModules } from 'node:module';
import { type Import, type ImportGraph, type Listed, readImportGraph, readListed } from './imports/readImports.ts';
import { breaks, browserPackages, browserSafe, isBelow, rules } from './imports/rules.ts';

/** One line for each import that breaks a rule. */
export function findViolations(graph: ImportGraph, listed: Listed): string[] {
  return [...ruleBreaks(graph), ...cycles(graph), ...browserBreaks(graph), ...unlisted(graph, listed)];
}

/** What happens to lie in node_modules is there until another package wants it no more. */
function unlisted(graph: ImportGraph, listed: Listed): string[] {
  return each(graph, (path, made) => {
    const home = [...listed.keys()].find((folder) => isBelow(path, folder));
    const name = packageOf(made.specifier);
    if (home === undefined || name === undefined || listed.get(home)?.has(name)) return [];
    return [`${at(path, made)}: ${name} is not listed in ${home}/package.json`];
  });
}

/** Undefined for files, and for what Node brings. */
function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return undefined;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function ruleBreaks(graph: ImportGraph): string[] {
  return each(graph, (path, made) =>
    rules
      .filter((rule) => breaks(rule, path, made))
      .map((rule) => `${at(path, made)}: must not import ${made.specifier} (${rule.why})`),
  );
}

/**
 * Circles in which modules wait for one another while they load, and below apps/ those in which one cannot be understood without
 * the other: there types count as well. Each is reported once, where it closes.
 */
function cycles(graph: ImportGraph): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    const start = way.indexOf(path);
    if (start >= 0) found.push(`${[...way.slice(start), path].join(' → ')}: imports go round in a circle`);
    if (start >= 0 || done.has(path)) return;
    for (const { file, typeOnly, onDemand } of graph.get(path) ?? []) {
      if (file && !onDemand && (!typeOnly || isBelow(path, 'apps'))) visit(file, [...way, path]);
    }
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return found;
}

function browserBreaks(graph: ImportGraph): string[] {
  const reached = new Map<string, string>();
  const queue = [...graph.keys()].filter((path) => browserSafe.some((safe) => isBelow(path, safe)));
  for (const path of queue) reached.set(path, path);
  const found: string[] = [];
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    for (const made of graph.get(path) ?? []) {
      if (made.typeOnly) continue;
      if (made.file === undefined && !runsInBrowser(made.specifier)) {
        found.push(`${at(path, made)}: ${made.specifier} does not run in a browser, as ${reached.get(path)} has to`);
      }
      if (made.file === undefined || reached.has(made.file)) continue;
      reached.set(made.file, reached.get(path) as string);
      queue.push(made.file);
    }
  }
  return found;
}

function runsInBrowser(specifier: string): boolean {
  return !builtinModules.includes(specifier) && browserPackages.has(specifier.split('/')[0] as string);
}

function each(graph: ImportGraph, check: (path: string, made: Import) => string[]): string[] {
  return [...graph].flatMap(([path, imports]) => imports.flatMap((made) => check(path, made)));
}

const at = (path: string, { line }: Import): string => `${path}:${line}`;

if (import.meta.main) {
  const root = `${import.meta.dirname}/..`;
  const graph = readImportGraph(root);
  const violations = findViolations(graph, readListed(root));
  for (const violation of violations) console.error(violation);
  const imports = [...graph.values()].reduce((sum, list) => sum + list.length, 0);
  console.log(`${imports} imports in ${graph.size} modules: ${violations.length} break a rule`);
  process.exitCode = violations.length > 0 ? 1 : 0;
}
