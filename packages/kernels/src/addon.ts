import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
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

export interface CpuDevice {
  readonly isa: string;
  readonly threads: number;
}

/** The CPU as a device; `isa` and `threads` are for tests and benchmarks, the best set and all cores otherwise. */
export function cpuDevice({
  isa,
  threads,
}: {
  isa?: string | undefined;
  threads?: number | undefined;
} = {}): CpuDevice {
  const sets = addon().instructionSets();
  const chosen = isa ?? process.env.ANNEAL_ISA ?? sets[0] ?? 'plain';
  if (!sets.includes(chosen)) throw new Error(`this processor does not run ${chosen}: it runs ${sets.join(', ')}`);
  return { isa: chosen, threads: threads ?? availableParallelism() };
}

/** The scratch a plan for this device must leave room for. */
export function scratchOf(device: CpuDevice): { bytesPerThread: number; threads: number } {
  return { bytesPerThread: addon().scratchBytesPerThread, threads: device.threads };
}
