import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { remarksName } from '@anneal/core/trainer/remarks';

/** A change within so little time of a look may leave the time of a file as it was: file systems count in up to two seconds. */
const unsettledMilliseconds = 2500;

/**
 * Changes whenever a process takes the run's lock, appends to its log or writes what people say of it. Undefined where that could
 * happen unnoticed: just after a change, and where the files cannot be looked at.
 */
export function stampOf(run: string): string | undefined {
  const settled = Date.now() - unsettledMilliseconds;
  const parts: string[] = [];
  try {
    for (const path of [run, join(run, 'events.jsonl'), join(run, remarksName)]) {
      const status = lstatSync(path, { throwIfNoEntry: false });
      if (status && status.mtimeMs > settled) return undefined;
      parts.push(status ? `${status.ino} ${status.mtimeMs} ${status.size}` : '');
    }
  } catch {
    return undefined;
  }
  return parts.join('\n');
}
