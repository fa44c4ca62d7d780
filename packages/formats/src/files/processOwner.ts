/** Which process something on the disk belongs to, so that it can be told when that process is gone. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

export interface ProcessOwner {
  pid: number;
  /** When the process started, in the system's own notation: a pid alone is reused. */
  processStart: string;
  host: string;
  /** Changes with every start of the machine, so that no pid of before it counts. */
  boot: string;
}

export function thisProcess(): ProcessOwner {
  const processStart = startOfProcess(process.pid);
  if (processStart === undefined) throw new Error('the system does not show the start time of this process');
  return { pid: process.pid, processStart, host: hostname(), boot: bootId() };
}

/** An owner on another host cannot be looked at, so it counts as alive. */
export function isAlive(owner: ProcessOwner): boolean {
  if (owner.host !== hostname()) return true;
  return owner.boot === bootId() && startOfProcess(owner.pid) === owner.processStart;
}

/** A name beside `path` for what is not finished: it says whose it is, so that others can clear it away. */
export function temporaryBeside(path: string): string {
  return `${path}.${process.pid}-${hash(hostname())}-${startHash(process.pid)}-${randomBytes(4).toString('hex')}.partial`;
}

/** Removes what processes that are gone left beside `path` under names of `temporaryBeside`; links are not followed. */
export function removeLeftovers(path: string): void {
  const folder = dirname(path);
  const beginning = `${basename(path)}.`;
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return; // what is wrong with the folder is said by whoever writes into it
  }
  for (const name of names) {
    if (name.startsWith(beginning) && isLeftover(name.slice(beginning.length))) {
      try {
        rmSync(join(folder, name), { recursive: true, force: true });
      } catch {
        // In a folder that users share it is another's, who clears it away the next time.
      }
    }
  }
}

/** What the process was started with, where the system shows it: on Linux. */
export function argumentsOf(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return undefined;
  }
}

function isLeftover(ending: string): boolean {
  const match = /^(\d{1,10})-([0-9a-f]{8})-([0-9a-f]{8})-[0-9a-f]{8}\.partial$/.exec(ending);
  return match !== null && match[2] === hash(hostname()) && startHash(Number(match[1])) !== match[3];
}

/** Undefined for a process that is not there. */
function startHash(pid: number): string | undefined {
  const start = startOfProcess(pid);
  return start === undefined ? undefined : hash(`${bootId()} ${start}`);
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

function bootId(): string {
  return process.platform === 'linux' ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() : '';
}

/** Undefined when there is no such process, or only its exit status that nobody has collected yet. */
function startOfProcess(pid: number): string | undefined {
  if (process.platform === 'linux') {
    let stat: string;
    try {
      stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ESRCH') return undefined;
      throw error;
    }
    // proc(5): the command name, field 2, may hold blanks and brackets, so count from its last bracket: state is field 3, start 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  }
  try {
    // A time is printed in a language and a time zone, by which processes may differ.
    const env = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' } as object as NodeJS.ProcessEnv;
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env }).trim() || undefined;
  } catch {
    return undefined; // ps exits with 1 when there is no such process.
  }
}
