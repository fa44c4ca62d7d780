/** What an agent keeps of its own: `<data folder of this user>/agents/<id>/`, one for each workspace. */
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { lockOwner, ProcessLock } from '@anneal/core/processLock';
import { replaceFile } from '@anneal/formats/files/atomicWrite';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import envPaths from 'env-paths';
import { hashOf } from './auth/secrets.ts';

export class AgentState {
  /** Of the workspace's path: the same after a restart, and another one for another workspace on another port. */
  readonly id: string;
  readonly folder: string;
  readonly #workspace: string;

  constructor(workspace: string) {
    this.#workspace = workspace;
    this.id = hashOf(workspace).slice(0, 12);
    this.folder = join(envPaths('anneal', { suffix: '' }).data, 'agents', this.id);
    makeFolder(this.folder);
    chmodSync(this.folder, 0o700);
  }

  /** Held for as long as the agent runs. @throws UserError `agent_running` */
  lock(): ProcessLock {
    const lock = ProcessLock.tryAcquire(this.#lockPath);
    if (lock) return lock;
    throw new UserError({
      what: `an agent serves this folder already, at ${this.#readUrl()}`,
      where: this.#workspace,
      next: 'open that one (`anneal pair` prints a link), or end it first',
      code: 'agent_running',
    });
  }

  /** Where the agent listens, for `anneal pair`. */
  recordUrl(url: string): void {
    replaceFile(this.#urlPath, `${url}\n`, { sync: false });
  }

  /** @throws UserError `agent_not_running` */
  runningUrl(): string {
    if (lockOwner(this.#lockPath)) return this.#readUrl();
    throw new UserError({
      what: 'no agent serves this folder',
      where: this.#workspace,
      next: 'start one with `anneal serve`, or name the folder that it serves: `anneal pair <folder>`',
      code: 'agent_not_running',
    });
  }

  get #lockPath(): string {
    return join(this.folder, 'agent.lock');
  }

  get #urlPath(): string {
    return join(this.folder, 'url');
  }

  #readUrl(): string {
    return readFileSync(this.#urlPath, 'utf8').trim();
  }
}
