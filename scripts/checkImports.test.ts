import { describe, expect, it } from 'vitest';
import { findViolations } from './checkImports.ts';
import { importsOf, readImportGraph, readListed } from './imports/readImports.ts';

const core = 'packages/core/src';
const router = 'apps/agent/src/daemon/router/index.ts';

/** A repository of these modules and nothing else. */
function violationsOf(modules: Record<string, string>): string[] {
  const graph = new Map(Object.entries(modules).map(([path, text]) => [path, importsOf(path, text)]));
  return findViolations(graph, new Map());
}

describe('who imports whom', () => {
  it('holds in this repository', () => {
    const root = `${import.meta.dirname}/..`;
    const graph = readImportGraph(root);
    expect(graph.size).toBeGreaterThan(250);
    expect(findViolations(graph, readListed(root))).toEqual([]);
  });

  it.each([
    ['packages/formats/src/a.ts', "import { b } from '@anneal/core/b';", `${core}/b.ts`],
    ['packages/kernels/src/a.ts', "import type { B } from '@anneal/formats/b';", 'packages/formats/src/b.ts'],
    [`${core}/a.ts`, "export * from '../../../apps/agent/src/b.ts';", 'apps/agent/src/b.ts'],
    [`${core}/models/a.ts`, "import { b } from '../datasets/b.ts';", `${core}/datasets/b.ts`],
    [`${core}/datasets/a.ts`, "const b = await import('../models/b.ts');", `${core}/models/b.ts`],
    [`${core}/trainer/a.ts`, "import {\n  type B,\n  b,\n} from '../recipe/b.ts';", `${core}/recipe/b.ts`],
    ['apps/agent/src/a.ts', "import '@anneal/kernels/graph';", 'packages/kernels/src/graph.ts'],
    ['apps/agent/src/service/a.ts', "import { print } from '../terminal/b.ts';", 'apps/agent/src/terminal/b.ts'],
    ['apps/agent/src/terminal/a.ts', "import type { B } from '../commands/b.ts';", 'apps/agent/src/commands/b.ts'],
    ['apps/agent/src/daemon/a.ts', "import type { B } from '../commands/b.ts';", 'apps/agent/src/commands/b.ts'],
    ['apps/web/src/a.ts', "import { b } from '@anneal/core/trainer/b';", `${core}/trainer/b.ts`],
    ['apps/web/app/a.tsx', "import type { B } from '../../agent/src/b.ts';", 'apps/agent/src/b.ts'],
    ['apps/web/src/a.ts', "import { b } from '../../agent/src/daemon/router/index.ts';", router],
  ])('finds that %s breaks a rule with %s', (path, text, imported) => {
    expect(violationsOf({ [path]: text, [imported]: '' })).toEqual([expect.stringContaining(`${path}:1: must not`)]);
  });

  it('finds a package that is imported and not listed', () => {
    const text = "import { join } from 'node:path';\nimport { z } from 'zod/v4';\nimport { b } from '@a/b/c';";
    const graph = new Map([['apps/agent/src/a.ts', importsOf('apps/agent/src/a.ts', text)]]);
    const both = new Map([['apps/agent', new Set(['zod', '@a/b'])]]);
    expect(findViolations(graph, both)).toEqual([]);
    expect(findViolations(graph, new Map([['apps/agent', new Set(['zod'])]]))).toEqual([
      'apps/agent/src/a.ts:3: @a/b is not listed in apps/agent/package.json',
    ]);
  });

  it('lets the studio know the procedures of the agent as types', () => {
    const text = "import type { AppRouter } from '../../agent/src/daemon/router/index.ts';";
    expect(violationsOf({ 'apps/web/src/a.ts': text, [router]: '' })).toEqual([]);
  });

  it('lets a job be made of a recipe', () => {
    expect(
      violationsOf({
        [`${core}/trainer/job.ts`]: "import type { Recipe } from '../recipe/schema.ts';",
        [`${core}/recipe/schema.ts`]: "import { z } from 'zod';",
      }),
    ).toEqual([]);
  });

  it('finds a circle, but none where one side loads on demand, or takes only types outside of apps/', () => {
    const [a, b] = [`${core}/a.ts`, `${core}/b.ts`];
    expect(violationsOf({ [a]: "import './b.ts';", [b]: "export { x } from './a.ts';" })).toEqual([
      `${a} → ${b} → ${a}: imports go round in a circle`,
    ]);
    expect(violationsOf({ [a]: "import './b.ts';", [b]: "const a = await import('./a.ts');" })).toEqual([]);
    expect(violationsOf({ [a]: "import './b.ts';", [b]: "import type { X } from './a.ts';" })).toEqual([]);
    const [c, d] = ['apps/agent/src/c.ts', 'apps/agent/src/d.ts'];
    expect(violationsOf({ [c]: "import './d.ts';", [d]: "import type { X } from './c.ts';" })).toHaveLength(1);
  });

  it('finds what does not run in a browser, however deep', () => {
    expect(
      violationsOf({
        [`${core}/protocol/events.ts`]: "import { b } from '../b.ts';",
        [`${core}/b.ts`]: "import { readFileSync } from 'node:fs';",
      }),
    ).toEqual([expect.stringContaining(`${core}/b.ts:1: node:fs does not run in a browser`)]);
  });
});
