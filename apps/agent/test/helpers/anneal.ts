/** The command line as a user runs it: a process of its own, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

export { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';

export const annealPath = join(import.meta.dirname, '..', '..', 'bin', 'anneal.mjs');

/** The test runner's wish for colors must not reach the command; CI must not bring colors into a pipe. */
const { FORCE_COLOR: _, ...environment } = process.env;
export const env = { ...environment, CI: 'true', ANNEAL_CALLED_AS: 'npx anneal' };

export interface Ended {
  /** Exit code, or the signal that ended it. */
  code: number | NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Runs `node <args>` to its end. */
export function startNode(
  args: readonly string[],
  cwd: string,
  extra: NodeJS.ProcessEnv = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, args, { cwd, env: { ...env, ...extra }, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = new Promise<Ended>((resolve) =>
    child.once('close', (code, signal) => resolve({ code: signal ?? code, stdout, stderr })),
  );
  return { child, ended };
}

/** `anneal` in `cwd`, as a function of its arguments. */
export function annealIn(cwd: string, extra: NodeJS.ProcessEnv = {}): (...args: string[]) => Promise<Ended> {
  return (...args) => startNode([annealPath, ...args], cwd, extra).ended;
}
