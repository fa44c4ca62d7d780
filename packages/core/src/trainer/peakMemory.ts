import { readFileSync } from 'node:fs';

/** The most bytes that this process has had in memory at once. */
export function peakMemory(): number {
  if (process.platform === 'linux') {
    // getrusage(2) would also count what the parent had when it made this process.
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kibibytes !== undefined) return Number(kibibytes) * 1024;
  }
  return process.resourceUsage().maxRSS * 1024;
}
