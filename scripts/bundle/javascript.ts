/** The agent as plain JavaScript: nine programs that share their chunks. */
import { join } from 'node:path';
import { build } from 'esbuild';

/** Found in node_modules beside the bundle, for they load a binary that lies beside them. */
const leftOut = ['tokenizers', '@duckdb/node-api'];

/**
 * Writes `main.js`, `worker.js`, `useCaseProcess.js`, `openedProcess.js`, `loaderWorker.js`, `tableProcess.js`, `libraryProcess.js`,
 * `rewardProcess.js`, `rewardGuard.js` and their chunks into one flat folder, so that what the sources find relative to themselves is
 * found relative to that folder. Returns the folders of the npm packages that went in.
 */
export async function bundleJavaScript(root: string, folder: string): Promise<string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [
      'apps/agent/src/main.ts',
      'apps/agent/src/runner/worker.ts',
      'apps/agent/src/runner/useCaseProcess.ts',
      'apps/agent/src/runner/openedProcess.ts',
      'packages/core/src/datasets/loaderWorker.ts',
      'packages/core/src/datasets/tableProcess.ts',
      'packages/core/src/tokenizers/libraryProcess.ts',
      'packages/core/src/rewards/rewardProcess.ts',
      'packages/core/src/rewards/rewardGuard.ts',
    ],
    outdir: folder,
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: leftOut,
    // CommonJS packages call `require`, which ES modules do not have.
    banner: {
      js: "import { createRequire as bundledRequire } from 'node:module';\nconst require = bundledRequire(import.meta.url);",
    },
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  const inside = Object.keys(metafile.inputs).flatMap((path) => {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path);
    return match ? [join(root, match[1] as string)] : [];
  });
  return [...new Set(inside)].sort();
}
