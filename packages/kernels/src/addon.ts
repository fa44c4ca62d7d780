import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Addon } from './addonTypes.ts';

let loaded: Addon | undefined;

/** The native addon, loaded on first use. Throws an Error that says how to build it when it is missing. */
export function addon(): Addon {
  if (loaded) return loaded;
  const path = process.env.ANNEAL_ADDON ?? fileURLToPath(new URL('../build/Release/anneal.node', import.meta.url));
  if (!existsSync(path)) throw new Error(`the native addon is not built (${path} is missing): run npm run build`);
  loaded = createRequire(import.meta.url)(path) as Addon;
  return loaded;
}
