import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['apps', 'packages', 'regression', 'scripts', 'starter'].map((folder) => `${folder}/**/*.test.ts`),
    globalSetup: 'scripts/testing/temporaryRoot.ts',
    // Only to end what hangs: a busy machine takes many times what an idle one does.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    pool: 'forks',
    // Half of the tests wait for files, processes and sockets: as many workers as there are processors keep them busy.
    maxWorkers: availableParallelism(),
  },
});
