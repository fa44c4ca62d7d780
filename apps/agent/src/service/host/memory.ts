import { readFile } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';

export interface HostMemory {
  total: number;
  available: number;
  /** A container allows less than the machine has. */
  isLimited: boolean;
}

/** Bytes of memory that this process may take, and that are left. */
export async function hostMemory(): Promise<HostMemory> {
  const limit = await memoryLimit();
  return {
    total: Math.min(totalmem(), limit),
    available: Math.min(process.availableMemory?.() ?? freemem(), limit),
    isLimited: limit < totalmem(),
  };
}

/** Bytes that the control group of a container allows; infinite outside of one. */
async function memoryLimit(): Promise<number> {
  try {
    const text = await readFile('/sys/fs/cgroup/memory.max', 'utf8');
    return text.trim() === 'max' ? Number.POSITIVE_INFINITY : Number(text);
  } catch {
    return Number.POSITIVE_INFINITY; // No control groups of version 2, so no limit that we could read.
  }
}
