import { defineConfig } from 'vitest/config';

/** The tests in a browser: those of a file one after the other, for each goes on where the one before has ended. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    globalSetup: '../scripts/testing/temporaryRoot.ts',
    testTimeout: 90_000,
    hookTimeout: 90_000,
    setupFiles: ['./endAfterFailure.ts'],
  },
});
