/** The memory of this host, and engines that take from it. */
import { addon, type CudaDevice, type Device, deviceBytes, Engine, type Plan } from '@anneal/kernels';
import { UserError } from './errors.ts';
import { formatBytes } from './formatBytes.ts';
import { type GpuHolder, gpuHolders } from './gpuHolders.ts';
import { hostMemory } from './hostMemory.ts';

/** Left to the system and to this process's own needs beside the plan. */
const RESERVED_BYTES = 512 * 2 ** 20;

/**
 * Bytes a plan may take on the device. On the CPU: what can be had without swapping, and what a container and `ulimit` allow.
 * On a GPU: what is free there, less what its libraries will take.
 */
export function memoryBudget(device: Device): number {
  if (device.kind === 'cuda') return Math.max(0, freeDeviceBytes(device) - device.libraryBytes);
  return freeHostBytes();
}

/** Bytes of the host's memory that a plan for a GPU may take beside the GPU's: page-locked ones, which nothing else can have meanwhile. */
export function hostBudget(): number {
  return 0.8 * freeHostBytes();
}

function freeHostBytes(): number {
  return Math.max(0, hostMemory().available - RESERVED_BYTES);
}

/** Bytes that are free on the GPU, by its driver: a first call makes this process's context there, which takes some itself. */
export function freeDeviceBytes({ index }: CudaDevice): number {
  return addon().cudaFreeBytes(index);
}

/**
 * An engine with the memory of its plan. More than there is would not fail here: the system would end the process later.
 * @throws UserError `out_of_memory` before anything is allocated, or where another process was faster
 */
export function allocateEngine(plan: Plan, device: Device, need: MemoryNeed, available = memoryBudget(device)): Engine {
  const { host } = plan.memory;
  const needed = deviceBytes(plan.memory);
  const holders = () => (device.kind === 'cuda' ? gpuHolders(device.busId) : []);
  if (needed > available) throw outOfMemory(need, needed, available, holders());
  if (host > hostBudget()) throw outOfHostMemory(need, host, hostBudget());
  try {
    return new Engine(plan, device);
  } catch (error) {
    if (!(error as Error).message.startsWith('out of memory')) throw error;
    if ((error as Error).message.includes('page-locked')) throw outOfHostMemory(need, host, hostBudget());
    throw outOfMemory(need, needed, memoryBudget(device), holders());
  }
}

export function outOfHostMemory(
  { what, where }: Omit<MemoryNeed, 'next'>,
  needed: number,
  available: number,
): UserError {
  return new UserError({
    what: `${what} does not fit: it needs ${formatBytes(needed, 4)} of the host's memory beside the GPU's, ${formatBytes(available, 4)} are free`,
    where,
    next: 'set activations: keep or auto, or close other programs',
    code: 'out_of_memory',
  });
}

/** What asks for memory, and what to do where it is not there. */
export interface MemoryNeed {
  readonly what: string;
  readonly where?: string;
  readonly next: string;
}

/** @param holders other processes with memory of the device */
export function outOfMemory(
  { what, where, next }: MemoryNeed,
  needed: number,
  available: number,
  holders: readonly GpuHolder[],
): UserError {
  const others = holders.map(({ name, pid, bytes }) => `${name} (pid ${pid}) ${formatBytes(bytes)}`).join(', ');
  return new UserError({
    what: `${what} does not fit: it needs ${formatBytes(needed, 4)} of memory, ${formatBytes(available, 4)} are free${others && `; GPU memory is held by ${others}`}`,
    where,
    next,
    code: 'out_of_memory',
  });
}
