import { expect } from 'vitest';

/** Any template ends within 2 s of work: this thread's time on a processor, however busy the machine, with room for a slow one. */
const MILLISECONDS = 5000;
/** 256 MB, and what the garbage collector has not taken back. */
const RESIDENT_BYTES = 384 * 2 ** 20;

/** Runs what renders a hostile template, and expects no more work and memory than any template may take. */
export function expectBounded(body: () => void): void {
  const [worked, resident] = [process.threadCpuUsage(), process.memoryUsage.rss()];
  try {
    body();
  } finally {
    const { user, system } = process.threadCpuUsage(worked);
    expect((user + system) / 1000, 'milliseconds of work').toBeLessThan(MILLISECONDS);
    expect(process.memoryUsage.rss() - resident, 'bytes of memory').toBeLessThan(RESIDENT_BYTES);
  }
}
