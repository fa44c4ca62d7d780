/** What an address may ask beside its path. Anything else is refused: it would be left unread without a word. */

interface Known {
  readonly names: readonly string[];
  readonly many?: string;
}

/** Names by path, for all below /api, /v1 and /metrics; those that are not here take none. `many`: may stand there more than once. */
const known: Readonly<Record<string, Known>> = {
  '/api/exports/download': { names: ['run', 'export', 'file'] },
  '/api/runs/steps': { names: ['run'] },
  '/api/runs/comparison': { names: ['steps'], many: 'run' },
  '/api/data/rows': { names: ['recipe', 'file', 'hub', 'model', 'mapping', 'filter', 'search'] },
};

const nothingKnown: Known = { names: [] };

/** All that an address with this path may ask. */
export function namesInQuery(path: string): readonly string[] {
  const { names, many } = known[path] ?? nothingKnown;
  return many === undefined ? names : [...names, many];
}

/** The first name that is unknown there, or stands there twice, and which of the two it is; undefined where there is none. */
export function wrongInQuery(path: string, query: URLSearchParams): { name: string; isTwice: boolean } | undefined {
  const { names, many } = known[path] ?? nothingKnown;
  const seen = new Set<string>();
  for (const name of query.keys()) {
    if (name === many) continue;
    if (!names.includes(name)) return { name, isTwice: false };
    if (seen.has(name)) return { name, isTwice: true };
    seen.add(name);
  }
  return undefined;
}
