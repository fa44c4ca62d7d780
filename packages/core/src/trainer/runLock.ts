/** One process at a time writes a run. The lock is a file naming its owner, so it can be told when the owner is gone. */
import { randomUUID } from 'node:crypto';
import { linkSync, rmSync, writeFileSync } from 'node:fs';
import {
  isAlive,
  type ProcessOwner,
  removeLeftovers,
  temporaryBeside,
  thisProcess,
} from '@anneal/formats/files/processOwner';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { kindOf, readRunFile } from './runFiles.ts';

export type RunOwner = ProcessOwner;

/** Pid 0 means a group and 1 is the system's own: neither ever wrote a run, and nobody may be led to signal them. */
const ownerSchema = z.object({
  pid: z.int().min(2),
  processStart: z.string().min(1),
  host: z.string().min(1),
  boot: z.string(),
});

const lockName = 'run.lock';
const takeoverName = 'run.lock.takeover';

export class RunLock {
  readonly #path: string;
  readonly #text: string;

  private constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  /** Takes the lock of the run at `runPath`, also from an owner that is gone. Throws `run_in_use`. */
  static acquire(runPath: string): RunLock {
    const path = `${runPath}/${lockName}`;
    removeLeftovers(path);
    const text = JSON.stringify({ ...thisProcess(), nonce: randomUUID() });
    if (!createWith(path, text)) takeOver(runPath, path, text);
    return new RunLock(path, text);
  }

  release(): void {
    if (readText(this.#path) === this.#text) rmSync(this.#path);
  }
}

/** The live owner of the run, if there is one. */
export function runOwner(runPath: string): RunOwner | undefined {
  const owner = parseOwner(readText(`${runPath}/${lockName}`));
  return owner && isAlive(owner) ? owner : undefined;
}

/** Removing a stale lock and taking it are two operations, so only one process at a time may do it. */
function takeOver(runPath: string, path: string, text: string): void {
  const takeover = `${runPath}/${takeoverName}`;
  const found = readText(takeover);
  const other = parseOwner(found);
  if (found !== undefined && !(other && isAlive(other))) rmSync(takeover, { force: true });
  if (!createWith(takeover, text)) throw inUse(runPath, other);
  try {
    const owner = parseOwner(readText(path));
    if (owner && isAlive(owner)) throw inUse(runPath, owner);
    rmSync(path, { force: true });
    if (!createWith(path, text)) throw inUse(runPath, parseOwner(readText(path)));
  } finally {
    rmSync(takeover, { force: true });
  }
}

function inUse(runPath: string, owner: RunOwner | undefined): UserError {
  return new UserError({
    what: owner
      ? `another process is writing this run: ${owner.pid} on ${owner.host}`
      : 'another process is writing this run',
    where: runPath,
    next: `wait for it, or stop it with \`anneal runs stop\`; if that machine is gone for good, delete ${lockName} there`,
    code: 'run_in_use',
  });
}

/** Creates the file with its whole content at once; false when it is there already. */
function createWith(path: string, text: string): boolean {
  const temporary = temporaryBeside(path);
  writeFileSync(temporary, text, { flag: 'wx' });
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary);
  }
}

function readText(path: string): string | undefined {
  try {
    return kindOf(path) === undefined ? undefined : readRunFile(path);
  } catch (error) {
    if (((error as Error).cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Undefined for a missing or damaged lock: no live process leaves a damaged one, it is created whole. */
function parseOwner(text: string | undefined): RunOwner | undefined {
  if (text === undefined) return undefined;
  try {
    return ownerSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
