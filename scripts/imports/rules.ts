/** Who may import whom. The folders of packages/core not named here may import one another. */
import type { Import } from './readImports.ts';

export interface Rule {
  /** Whom it binds: files below these paths. */
  readonly of: readonly string[];
  /** The only files of the repository that these may import, beside those of the same entry of `of`. */
  readonly may?: readonly string[];
  /** Files that these may import beside, as long as that is gone once the types are stripped. */
  readonly mayTypes?: readonly string[];
  /** Files that these may not import. */
  readonly mayNot?: readonly string[];
  /** Exempt from `mayNot`. */
  readonly except?: readonly string[];
  readonly why: string;
}

const core = 'packages/core/src';
const agent = 'apps/agent/src';
/** What tests of every part share. */
const testing = 'scripts/testing';

export const rules: readonly Rule[] = [
  { of: ['packages/formats'], may: [testing], why: 'formats stands alone' },
  { of: ['packages/kernels'], may: [testing], why: 'kernels stands alone' },
  {
    of: ['packages/core'],
    may: ['packages/formats', 'packages/kernels', testing],
    why: 'core builds on formats and kernels',
  },
  {
    of: ['apps/agent'],
    may: ['packages/core', 'packages/formats', testing],
    why: 'the agent builds on core and formats',
  },
  {
    of: ['apps/web'],
    may: [`${core}/protocol`, `${core}/recipe/schema.ts`, `${core}/recipe/edit.ts`, `${core}/recipe/propose.ts`],
    mayTypes: ['apps/agent/src/daemon/router/index.ts'],
    why: 'the studio knows schemas, how a text is edited, and the protocol, and of the agent its procedures as types',
  },
  {
    of: [`${agent}/service`, `${agent}/daemon`],
    mayNot: ['commands', 'terminal', 'exitCodes.ts'].map((name) => `${agent}/${name}`),
    why: 'use cases return what the command line prints and the daemon sends: they know of neither',
  },
  {
    of: [`${agent}/runner`],
    mayNot: ['commands', 'terminal', 'daemon'].map((name) => `${agent}/${name}`),
    why: 'the process of a run prints nothing but its log',
  },
  {
    of: [`${agent}/terminal`],
    mayNot: ['commands', 'daemon'].map((name) => `${agent}/${name}`),
    why: 'the terminal prints what it is given',
  },
  {
    of: ['starter'],
    may: ['packages/core', 'packages/formats'],
    why: 'the starter is made with core and formats, and nothing needs what makes it',
  },
  {
    of: [`${core}/models`],
    mayNot: ['datasets', 'trainer', 'generate', 'export', 'recipe', 'verify', 'bench'].map((name) => `${core}/${name}`),
    why: 'models know nothing of data, training or what else is done with them',
  },
  {
    of: [`${core}/datasets`],
    mayNot: ['models', 'trainer', 'generate', 'export', 'recipe', 'verify', 'bench'].map((name) => `${core}/${name}`),
    why: 'data sets know nothing of models or training',
  },
  {
    of: [`${core}/tokenizers`, `${core}/templates`],
    mayNot: ['models', 'datasets', 'trainer', 'generate', 'export', 'recipe'].map((name) => `${core}/${name}`),
    why: 'tokenizers and templates are beneath everything else in core',
  },
  {
    of: [core],
    mayNot: [`${core}/recipe`],
    except: [
      `${core}/recipe`,
      `${core}/trainer/job.ts`,
      `${core}/trainer/dataOptions.ts`,
      `${core}/trainer/objectiveOptions.ts`,
      `${core}/trainer/optimizerOptions.ts`,
      `${core}/trainer/rolloutOptions.ts`,
      `${core}/trainer/scheduleOptions.ts`,
      // A verified run starts from a recipe as any other run does.
      `${core}/verify/verifySft.ts`,
      // What went wrong in a run is said as changes of its recipe.
      `${core}/diagnosis`,
    ],
    why: 'the recipe object ends where a job is made of it: functions take what they need',
  },
];

/** What a browser loads as well: these, and all they import at run time, use nothing of Node. */
export const browserSafe: readonly string[] = [
  `${core}/protocol/`,
  `${core}/recipe/schema.ts`,
  `${core}/recipe/edit.ts`,
  `${core}/recipe/propose.ts`,
  'apps/web/',
];

/** npm packages that run in a browser, or the scope they are in. */
export const browserPackages: ReadonlySet<string> = new Set([
  'zod',
  'yaml',
  'react',
  'next',
  'next-themes',
  'nuqs',
  'radix-ui',
  'lucide-react',
  'uplot',
  'use-intl',
  '@tanstack',
  '@trpc',
  '@fontsource-variable',
  'markdown-to-jsx',
  'monaco-editor',
  'monaco-yaml',
  'y-monaco',
  'yjs',
  '@hocuspocus',
  'tus-js-client',
]);

export function breaks(rule: Rule, path: string, { file, typeOnly }: Import): boolean {
  const home = rule.of.find((folder) => isBelow(path, folder));
  if (home === undefined || file === undefined) return false;
  if (typeOnly && rule.mayTypes?.some((folder) => isBelow(file, folder))) return false;
  if (rule.may && !isBelow(file, home) && !rule.may.some((folder) => isBelow(file, folder))) return true;
  if (!rule.mayNot || rule.except?.some((exempt) => isBelow(path, exempt))) return false;
  return rule.mayNot.some((folder) => isBelow(file, folder));
}

export function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}
