import { fileURLToPath } from 'node:url';

// A bundle has JavaScript in the place of TypeScript.
const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';

/** The program of the child process that trains. */
export const workerPath = fileURLToPath(new URL(file, import.meta.url));
