/** Which module of the repository imports which, read from the text: Biome keeps imports in one form. */
import { globSync, readFileSync } from 'node:fs';
import { posix, sep } from 'node:path';

export interface Import {
  /** As written: './x.ts', '@anneal/core/y', 'node:fs', 'zod'. */
  readonly specifier: string;
  /** The file in the repository, relative to its root; undefined for Node's and npm's packages. */
  readonly file: string | undefined;
  /** Gone once the types are stripped. */
  readonly typeOnly: boolean;
  /** Made by `import(…)` while the program runs. */
  readonly onDemand: boolean;
  readonly line: number;
}

/** A module's path, relative to the root, to what it imports. */
export type ImportGraph = ReadonlyMap<string, readonly Import[]>;

/** The folder of a package, relative to the root, to what its package.json names, itself included. */
export type Listed = ReadonlyMap<string, ReadonlySet<string>>;

const statement = /^(?:import|export)\s+(?<type>type\s)?(?:[\w$\s,*]|\{[^{}]*\})*?from\s+'(?<specifier>[^']+)'/gm;
const bareImport = /^import\s+'(?<specifier>[^']+)'/gm;
const call = /\bimport\(\s*'(?<specifier>[^']+)'\s*\)/g;

export function importsOf(path: string, text: string): Import[] {
  return [statement, bareImport, call].flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => {
      const specifier = match.groups?.specifier as string;
      return {
        specifier,
        file: resolve(path, specifier),
        typeOnly: match.groups?.type !== undefined,
        onDemand: pattern === call,
        line: text.slice(0, match.index).split('\n').length,
      };
    }),
  );
}

/** Every TypeScript module of the packages, apps and the starter's making below `root`, tests apart: they may look into everything. */
export function readImportGraph(root: string): ImportGraph {
  const paths = globSync(['{packages,apps}/*/{src,ops,app}/**/*.{ts,tsx}', 'starter/**/*.ts'], { cwd: root })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => !/\.test\.ts$|\/testing\/|\/cases\.ts$|\.proto\//.test(path))
    .sort();
  return new Map(paths.map((path) => [path, importsOf(path, readFileSync(posix.join(root, path), 'utf8'))]));
}

export function readListed(root: string): Listed {
  const paths = globSync('{packages,apps}/*/package.json', { cwd: root });
  return new Map(
    paths.map((path) => {
      const { name, dependencies, devDependencies } = JSON.parse(readFileSync(posix.join(root, path), 'utf8'));
      return [posix.dirname(path), new Set([name, ...Object.keys({ ...dependencies, ...devDependencies })])];
    }),
  );
}

/** The same mapping as the `exports` of our packages: `@anneal/core/a/b` is packages/core/src/a/b.ts. */
function resolve(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(from), specifier);
  const own = /^@anneal\/(?<name>[^/]+)(?:\/(?<path>.+))?$/.exec(specifier)?.groups;
  if (!own) return undefined;
  return `packages/${own.name}/src/${own.path ?? 'index'}.ts`;
}
