/**
 * A thread beside the one that computes rewards, which may loop: ends the process when it has grown too far (typed arrays are no part of
 * the heap that Node limits), and when the process that started it is gone.
 */
import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

export interface GuardOptions {
  /** Process id of who started this process. */
  readonly parent: number;
  /** How far it may grow from here on. */
  readonly megabytes: number;
}

const EVERY_MILLISECONDS = 50;

const { parent, megabytes } = workerData as GuardOptions;
const mostBytes = process.memoryUsage.rss() + megabytes * 2 ** 20;

setInterval(() => {
  const isTooLarge = process.memoryUsage.rss() > mostBytes;
  if (!isTooLarge && process.ppid === parent) return;
  try {
    if (isTooLarge) writeSync(2, 'out of memory\n');
  } finally {
    process.kill(process.pid, 'SIGKILL');
  }
}, EVERY_MILLISECONDS);

parentPort?.postMessage('watching', []);
