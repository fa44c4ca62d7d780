import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
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

const folder = fileURLToPath(new URL('..', import.meta.url));
const builtPath = join(folder, 'build', 'Release', 'anneal.node');
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
  return !existsSync(join(folder, 'ops')) || boundary === boundaryHash();
}

/** Of the types of the addon, of how a plan is written, and of the ops; as CMakeLists.txt computes it. */
function boundaryHash(): string {
  const ops = globSync('ops/*/op.ts', { cwd: folder });
  const lines = ['src/addonTypes.ts', 'src/encode.ts', ...ops]
    .toSorted()
    .map((path) => `${path} ${sha256(readFileSync(join(folder, path)))}\n`);
  return sha256(lines.join(''));
}

function sha256(of: string | Buffer): string {
  return createHash('sha256').update(of).digest('hex');
}
