/** What this process may take of the host's memory: what the system has, less where a container or `ulimit` allows less. */
import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { UserError } from './errors.ts';
import { formatBytes } from './formatBytes.ts';

/** In bytes. */
export interface HostMemory {
  readonly total: number;
  /** What can be had without swapping. */
  readonly available: number;
  /** Less than the machine has is allowed. */
  readonly isLimited: boolean;
}

interface Limit {
  readonly most: number;
  readonly used: number;
}

/** @param root another folder than `/`, for tests */
export function hostMemory(root = '/'): HostMemory {
  if (process.platform !== 'linux') return { total: totalmem(), available: freemem(), isLimited: false };
  const sizes = readText(join(root, 'proc/meminfo'));
  const total = kilobytesOf(sizes, 'MemTotal') ?? totalmem();
  const available = kilobytesOf(sizes, 'MemAvailable') ?? freemem();
  const limits = [...groupLimits(root), ...processLimits(root)].filter(({ most }) => most < total);
  return {
    total: Math.min(total, ...limits.map(({ most }) => most)),
    available: Math.max(0, Math.min(available, ...limits.map(({ most, used }) => most - used))),
    isLimited: limits.length > 0,
  };
}

/** What V8 reserves for a thread, most of it never touched; with less it ends the process. Measured with Node 24, and some more. */
const THREAD_BYTES = 2.6e9;

/** @throws UserError `out_of_memory` where `ulimit -v` leaves too little for a thread of JavaScript */
export function refuseThreadWithoutRoom(root = '/'): void {
  const { most, used } = addressLimit(root);
  const left = most - used;
  if (left >= THREAD_BYTES) return;
  throw new UserError({
    what: `the thread that makes batches does not fit: it reserves ${formatBytes(THREAD_BYTES)} of addresses, and \`ulimit -v\` leaves this process ${formatBytes(Math.max(0, left))}`,
    next: 'allow more, as `ulimit -v unlimited` does: most of what is reserved is never touched, and a container limits what is',
    code: 'out_of_memory',
  });
}

/** Of this process's control group and of those above it. Their files are other ones in version 1 and in version 2. */
function groupLimits(root: string): Limit[] {
  const limits: Limit[] = [];
  for (const [, controllers, path = '/'] of readText(join(root, 'proc/self/cgroup')).matchAll(/^\d+:(.*?):(.*)$/gm)) {
    if (controllers !== '' && !controllers?.split(',').includes('memory')) continue;
    const names = controllers === '' ? version2 : version1;
    const top = join(root, 'sys/fs/cgroup', controllers ?? '');
    // A container may see the path of its host, where there is nothing: its own group stands at the top then.
    for (let group = join(top, path); group.startsWith(top); group = dirname(group)) {
      const most = Number.parseInt(readText(join(group, names.most)), 10);
      const used = Number.parseInt(readText(join(group, names.used)), 10);
      if (Number.isFinite(most) && Number.isFinite(used))
        limits.push({ most, used: used - cachedIn(group, names.cached) });
    }
  }
  return limits;
}

const version1 = {
  most: 'memory.limit_in_bytes',
  used: 'memory.usage_in_bytes',
  cached: /^total_(?:in)?active_file (\d+)$/gm,
};
const version2 = { most: 'memory.max', used: 'memory.current', cached: /^(?:in)?active_file (\d+)$/gm };

/** Files that the system keeps at hand count as used, and are let go when memory is asked for. */
function cachedIn(group: string, lines: RegExp): number {
  return [...readText(join(group, 'memory.stat')).matchAll(lines)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
}

/** By `ulimit -v`. It counts what is reserved, also where it is never touched. */
const addressLimit = (root: string): Limit => processLimit(root, 'Max address space', 'VmSize');

/** That of `ulimit -d` counts what is reserved only once it can be written, so that it leaves a thread its room. */
const processLimits = (root: string): Limit[] => [addressLimit(root), processLimit(root, 'Max data size', 'VmData')];

function processLimit(root: string, name: string, size: string): Limit {
  const used = kilobytesOf(readText(join(root, 'proc/self/status')), size) ?? 0;
  return { most: limitOf(readText(join(root, 'proc/self/limits')), name), used };
}

function limitOf(limits: string, name: string): number {
  const soft = new RegExp(`^${name} +(\\d+) `, 'm').exec(limits)?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}

function kilobytesOf(text: string, name: string): number | undefined {
  const kilobytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
