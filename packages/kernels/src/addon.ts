import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Addon } from './addonTypes.ts';

/** The addon at `path` cannot be used; building it again mends that. */
export class AddonFault extends Error {
  readonly path: string;

  constructor(message: string, path: string, cause?: unknown) {
    super(message, { cause });
    this.path = path;
  }
}

const builtPath = fileURLToPath(new URL('../build/Release/anneal.node', import.meta.url));
let loaded: Addon | undefined;

/** The native addon, loaded on first use. Throws an AddonFault where it is missing, damaged, or of other sources than these. */
export function addon(): Addon {
  loaded ??= loadAddon(process.env.ANNEAL_ADDON ?? builtPath);
  return loaded;
}

export function loadAddon(path: string): Addon {
  if (!existsSync(path)) throw new AddonFault('the native addon is not built', path);
  const found = load(path);
  if (!isOfTheseSources(found)) throw new AddonFault('the native addon was built from other sources than these', path);
  return found;
}

function load(path: string): Addon {
  try {
    return createRequire(import.meta.url)(path);
  } catch (error) {
    throw new AddonFault(`the native addon cannot be loaded: ${(error as Error).message}`, path, error);
  }
}

/** A bundle brings no sources along: its addon was built with it. */
function isOfTheseSources({ boundary }: Addon): boolean {
  const types = fileURLToPath(new URL('addonTypes.ts', import.meta.url));
  return !existsSync(types) || boundary === createHash('sha256').update(readFileSync(types)).digest('hex');
}
