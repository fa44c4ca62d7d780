import { fileURLToPath } from 'node:url';

/** What a newcomer trains first; the bundle carries it at the same place. */
export const starterFolder = fileURLToPath(new URL('../../starter', import.meta.url));
