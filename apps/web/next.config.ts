import { join } from 'node:path';
import type { NextConfig } from 'next';

/** The agent puts there the path below which it is reached (`daemon/basePath.ts`). */
const basePath = '/__anneal_base_path__';

/** A folder of finished files, which the agent serves. There is no server of its own. */
const config: NextConfig = {
  output: 'export',
  basePath,
  env: { basePath },
  // The runs are at `/base/`: a proxy passes on nothing of `/base`, nor of the `/base.txt` that would be asked for beside it.
  skipTrailingSlashRedirect: true,
  transpilePackages: ['@anneal/core'],
  turbopack: {
    root: join(import.meta.dirname, '..', '..'),
    // Names of Monaco's modules as its companions still know them.
    resolveAlias: {
      'monaco-editor/esm/vs/editor/editor.api.js': 'monaco-editor/editor/editor.api.js',
      'monaco-editor/esm/vs/editor/editor.worker.js': 'monaco-editor/editor/editor.worker.js',
    },
  },
  images: { unoptimized: true },
  // `npm run check` does that, with the compiler that the rest of the repository uses.
  typescript: { ignoreBuildErrors: true },
  devIndicators: false,
};

export default config;
