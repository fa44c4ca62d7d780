import { readFileSync } from 'node:fs';
import { freemem } from 'node:os';

/** Left to the system and to this process's own needs beside the plan. */
const RESERVED_BYTES = 512 * 2 ** 20;

/** Bytes a plan may take on this host: what the kernel says can be had without swapping, and what the container allows. */
export function memoryBudget(): number {
  return Math.max(0, Math.min(availableBytes(), containerBytes()) - RESERVED_BYTES);
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
