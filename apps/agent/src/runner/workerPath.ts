import { fileURLToPath } from 'node:url';

/** The program of the child process that trains. The bundle, where no TypeScript lies about, puts its own file here. */
export const workerPath = fileURLToPath(new URL('./worker.ts', import.meta.url));
