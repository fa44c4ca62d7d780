/** One process at a time writes a run. The lock is a file naming its owner, so it can be told when the owner is gone. */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { UserError } from '../errors.ts';

export interface RunOwner {
  pid: number;
  /** When the process started, in the system's own notation: a pid alone is reused. */
  processStart: string;
  host: string;
  /** Changes with every start of the machine, so that no pid of before it counts. */
  boot: string;
}

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
    const text = JSON.stringify({ ...describeThisProcess(), nonce: randomUUID() });
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
  const other = parseOwner(readText(takeover));
  if (other && !isAlive(other)) rmSync(takeover, { force: true });
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
  const temporary = `${path}.${randomUUID()}`;
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
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Undefined for a missing or damaged lock: no live process leaves a damaged one, it is created whole. */
function parseOwner(text: string | undefined): RunOwner | undefined {
  if (text === undefined) return undefined;
  try {
    const owner = JSON.parse(text) as RunOwner;
    return Number.isInteger(owner.pid) ? owner : undefined;
  } catch {
    return undefined;
  }
}

function describeThisProcess(): RunOwner {
  const processStart = startOfProcess(process.pid);
  if (processStart === undefined) throw new Error('the system does not show the start time of this process');
  return { pid: process.pid, processStart, host: hostname(), boot: bootId() };
}

/** An owner on another host cannot be looked at, so it counts as alive. */
function isAlive(owner: RunOwner): boolean {
  if (owner.host !== hostname()) return true;
  return owner.boot === bootId() && startOfProcess(owner.pid) === owner.processStart;
}

function bootId(): string {
  return process.platform === 'linux' ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() : '';
}

/** Undefined when there is no such process, or only its exit status that nobody has collected yet. */
function startOfProcess(pid: number): string | undefined {
  if (process.platform === 'linux') {
    const stat = readText(`/proc/${pid}/stat`);
    if (stat === undefined) return undefined;
    // proc(5): the command name, field 2, may hold blanks and brackets, so count from its last bracket: state is field 3, start 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  }
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined; // ps exits with 1 when there is no such process.
  }
}
