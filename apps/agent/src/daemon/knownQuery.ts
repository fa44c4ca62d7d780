/** What an address may ask beside its path. Anything else is refused: it would be left unread without a word. */

/** Names by path, for all below /api, /v1 and /metrics; those that are not here take none. `many`: may stand there more than once. */
const known: Readonly<Record<string, { readonly names: readonly string[]; readonly many?: string }>> = {
  '/api/exports/download': { names: ['run', 'export', 'file'] },
  '/api/runs/steps': { names: ['run'] },
  '/api/runs/comparison': { names: ['steps'], many: 'run' },
  '/api/data/rows': { names: ['recipe', 'file', 'hub', 'model', 'mapping', 'filter', 'search'] },
};

/** The first name that is unknown there, or stands there twice, and which of the two it is; undefined where there is none. */
export function wrongInQuery(path: string, query: URLSearchParams): { name: string; isTwice: boolean } | undefined {
  const { names, many } = known[path] ?? { names: [] };
  const seen = new Set<string>();
  for (const name of query.keys()) {
    if (name === many) continue;
    if (!names.includes(name)) return { name, isTwice: false };
    if (seen.has(name)) return { name, isTwice: true };
    seen.add(name);
  }
  return undefined;
}
