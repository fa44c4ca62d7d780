/** What both ways of doing something in a process of its own have in common: how it starts, and how errors come across. */
import { type ChildProcess, type Serializable, spawn } from 'node:child_process';
import { getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';
import { deviceFault } from '@anneal/core/deviceFault';
import { UserError } from '@anneal/core/errors';
import { InvalidRecipe, type RecipeProblem } from '@anneal/core/recipe/problem';
import { safeText } from '../safeText.ts';

/** How long a process may take to clean up that nobody waits for any more. */
export const patienceMilliseconds = 5000;

/** An error on its way from one process to another. Of one that is no UserError only the stack can travel. */
export type ErrorMessage = { error: ReturnType<UserError['toJSON']> } | { defect: string };

/** @param name of a module beside this one */
export function startApart(name: string): ChildProcess {
  // A bundle has JavaScript in the place of TypeScript.
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const child = spawn(process.execPath, [fileURLToPath(new URL(`./${name}.${ending}`, import.meta.url))], {
    // A Ctrl-C in the terminal reaches only us, who cancel.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
    env: { ...process.env, NODE_COMPILE_CACHE: getCompileCacheDir() },
  });
  // What a library or Node itself says there may quote anything.
  child.stderr?.setEncoding('utf8').on('data', (text: string) => process.stderr.write(safeText(text)));
  return child;
}

/** To the process. One that is gone does not get it, which its exit says; without a function to call, sending would be what failed. */
export function send(child: ChildProcess, message: Serializable): void {
  if (child.connected) child.send(message, () => undefined);
}

/** In the process: waits until the message is on its way. */
export function tell(message: object): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send?.(message, () => resolve());
    else resolve();
  });
}

export function messageOf(error: unknown): ErrorMessage {
  const known = error instanceof UserError ? error : deviceFault(error);
  if (known) return { error: known.toJSON() };
  return { defect: error instanceof Error ? String(error.stack) : String(error) };
}

export function errorOf(message: ErrorMessage): Error {
  if ('defect' in message) return new Error(message.defect);
  const { problems } = message.error as { problems?: readonly RecipeProblem[] };
  return problems ? new InvalidRecipe(problems) : new UserError(message.error);
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Resolves once everything that the process has said has come: its exit may be told before that. Rejects where it could not be started. */
export function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const end = () => resolve({ code, signal });
      if (child.connected) child.once('disconnect', end);
      else end();
    });
  });
}

/** The error of a process that ended before it had answered. */
export function died(name: string, { code, signal }: Exit): UserError {
  const how = signal ?? `exit code ${code}`;
  return new UserError({
    what: `the process of \`${name}\` ended with ${how}${how === 'SIGKILL' ? ': the system may have run out of memory' : ''}`,
    where: 'this machine',
    next: 'close other programs, or try it with less: a smaller model, or fewer rows',
    code: 'process_died',
  });
}
