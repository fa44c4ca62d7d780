/**
 * Where tests put temporary files: one folder for a run of vitest. It is removed also when a worker was ended, and what
 * lies in it then is named: a test, or what it started, left it behind.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Node's and our own caches of compiled modules, meant to outlive a process. */
const caches = /compile-cache$/;

/** For `globalSetup` of vitest, whose workers have the environment of this process. */
export default function makeTemporaryRoot(): () => void {
  const root = mkdtempSync(join(tmpdir(), 'anneal-tests-'));
  process.env.TMPDIR = root;
  return () => {
    const left = readdirSync(root).filter((name) => !caches.test(name));
    rmSync(root, { recursive: true, force: true });
    if (left.length > 0) console.error(`\nLeft behind in the temporary folder by tests: ${left.sort().join(', ')}`);
  };
}
