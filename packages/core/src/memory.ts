/** The memory of this host, and engines that take from it. */
import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { addon, type Device, Engine, type Plan } from '@anneal/kernels';
import { UserError } from './errors.ts';

/** Left to the system and to this process's own needs beside the plan. */
const RESERVED_BYTES = 512 * 2 ** 20;

/**
 * Bytes a plan may take on the device. On the CPU: what the kernel says can be had without swapping, and what the container allows.
 * On a GPU: what is free there, less what its libraries will take.
 */
export function memoryBudget(device: Device): number {
  if (device.kind === 'cuda') return Math.max(0, addon().cudaFreeBytes(device.index) - device.libraryBytes);
  return Math.max(0, Math.min(availableBytes(), containerBytes()) - RESERVED_BYTES);
}

/**
 * An engine with the memory of its plan. More than there is would not fail here: the system would end the process later.
 * @param need what asks for it, and what to do where it is not there
 * @throws UserError `out_of_memory` before anything is allocated
 */
export function allocateEngine(
  plan: Plan,
  device: Device,
  need: { readonly what: string; readonly where?: string; readonly next: string },
  available = memoryBudget(device),
): Engine {
  const { total } = plan.memory;
  if (total <= available) return new Engine(plan, device);
  throw new UserError({
    what: `${need.what} needs ${gigabytes(total)}, ${gigabytes(available)} are free`,
    where: need.where,
    next: need.next,
    code: 'out_of_memory',
  });
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

function availableBytes(): number {
  if (process.platform !== 'linux') return freemem();
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  return available === undefined ? freemem() : Number(available) * 1024;
}

function containerBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < Number.MAX_SAFE_INTEGER ? limit - process.memoryUsage.rss() : Number.POSITIVE_INFINITY;
}
