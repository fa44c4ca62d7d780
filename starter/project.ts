import { join } from 'node:path';

/** The project that `anneal init` copies, whose model is made here. */
export const starterProject = join(import.meta.dirname, '..', 'apps', 'agent', 'starter');
