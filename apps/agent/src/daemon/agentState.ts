/** What an agent keeps of its own: `<data folder of this user>/agents/<id>/`, one for each workspace. */
import { chmodSync, existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { lockOwner, ProcessLock } from '@anneal/core/processLock';
import { shellWord } from '@anneal/core/shellWord';
import { replaceFile } from '@anneal/formats/files/atomicWrite';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import envPaths from 'env-paths';
import { z } from 'zod';
import { hashOf } from './auth/secrets.ts';

/** What a running agent tells the command line. */
const servedSchema = z.object({
  url: z.string(),
  /** The only folder that it looks for runs in, where one was named. */
  runsFolder: z.string().optional(),
});
export type Served = z.infer<typeof servedSchema>;

export class AgentState {
  /** Of the workspace's path: the same after a restart, and another one for another workspace on another port. */
  readonly id: string;
  readonly folder: string;
  readonly workspace: string;

  constructor(workspace: string) {
    this.workspace = workspace;
    this.id = idOf(workspace);
    this.folder = folderOf(this.id);
    makeFolder(this.folder);
    chmodSync(this.folder, 0o700);
  }

  /** Of the agent that serves this folder or one above it; one that runs comes before one that ran. @throws UserError `agent_not_running` */
  static above(path: string): AgentState {
    const start = existsSync(path) ? realpathSync(path) : resolve(path);
    const served = foldersAbove(start).filter((folder) => existsSync(servedPathIn(folderOf(idOf(folder)))));
    const workspace = served.find((folder) => lockOwner(lockPathIn(folderOf(idOf(folder))))) ?? served[0];
    if (workspace === undefined) throw notRunning(start);
    return new AgentState(workspace);
  }

  get isRunning(): boolean {
    return lockOwner(this.#lockPath) !== undefined;
  }

  /** Held for as long as the agent runs. @throws UserError `agent_running` */
  lock(): ProcessLock {
    const lock = ProcessLock.tryAcquire(this.#lockPath);
    if (lock) return lock;
    throw new UserError({
      what: `an agent serves this folder already, at ${this.lastServed().url}`,
      where: this.workspace,
      next: `open that one (\`anneal pair ${asTyped(this.workspace)}\` prints a link), or end it first`,
      code: 'agent_running',
    });
  }

  /** For the command line. */
  recordServed(served: Served): void {
    replaceFile(this.#servedPath, `${JSON.stringify(served)}\n`, { sync: false });
  }

  /** Of an agent that runs. @throws UserError `agent_not_running` */
  served(): Served {
    if (!this.isRunning) throw notRunning(this.workspace);
    return this.lastServed();
  }

  /** Of an agent that runs or ran. */
  lastServed(): Served {
    return servedSchema.parse(JSON.parse(readFileSync(this.#servedPath, 'utf8')));
  }

  get #lockPath(): string {
    return lockPathIn(this.folder);
  }

  get #servedPath(): string {
    return servedPathIn(this.folder);
  }
}

function idOf(workspace: string): string {
  return hashOf(workspace).slice(0, 12);
}

function folderOf(id: string): string {
  return join(envPaths('anneal', { suffix: '' }).data, 'agents', id);
}

/** Where the agent of this folder, or the next one above it, keeps a file of this name; undefined where none does. Nothing is made. */
export function agentFolderAbove(path: string, file: string): string | undefined {
  const start = existsSync(path) ? realpathSync(path) : resolve(path);
  return foldersAbove(start)
    .map((folder) => folderOf(idOf(folder)))
    .find((folder) => existsSync(join(folder, file)));
}

/** The folder itself, then its parent, up to the root. */
function foldersAbove(folder: string): string[] {
  const parent = dirname(folder);
  return folder === parent ? [folder] : [folder, ...foldersAbove(parent)];
}

function servedPathIn(folder: string): string {
  return join(folder, 'agent.json');
}

function lockPathIn(folder: string): string {
  return join(folder, 'agent.lock');
}

/** As a command from here names it. */
export function asTyped(folder: string): string {
  return shellWord(relative('.', folder) || '.');
}

function notRunning(folder: string): UserError {
  return new UserError({
    what: 'no agent serves this folder',
    where: folder,
    next: `start one with \`anneal serve ${asTyped(folder)}\`, or name the folder that it serves`,
    code: 'agent_not_running',
  });
}
