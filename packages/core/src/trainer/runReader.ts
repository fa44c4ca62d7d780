/** Looking at runs without writing them, also while another process does. */
import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '../errors.ts';
import type { RunEvent } from '../protocol/events.ts';
import { initialStatus, type RunState, type Status, statusAfter, statusSchema } from '../protocol/status.ts';
import { parseLine, readEventsAfter } from './eventLog.ts';
import { assertIsRun } from './runDirectory.ts';
import { type RunOwner, runOwner } from './runLock.ts';

export interface RunView {
  path: string;
  status: Status;
  /** As in the status, or `interrupted` when the process that should be running is gone. */
  state: RunState | 'interrupted';
  owner: RunOwner | undefined;
}

/** Throws `run_not_found`, `event_log_damaged`. */
export function readRun(path: string): RunView {
  const absolute = resolve(path);
  assertIsRun(absolute);
  // Before the events: an owner that ends in between has then written its last one.
  const owner = runOwner(absolute);
  const written = readStatus(absolute);
  const status = readEventsAfter(join(absolute, 'events.jsonl'), written.seq).reduce(statusAfter, written);
  const shouldRun = status.state === 'preparing' || status.state === 'running';
  return { path: absolute, status, state: shouldRun && !owner ? 'interrupted' : status.state, owner };
}

/** What status.json says, which may be behind the events; a damaged or missing one says nothing. */
function readStatus(path: string): Status {
  const nothing = initialStatus(basename(path), basename(path), '');
  try {
    return statusSchema.parse(JSON.parse(readFileSync(join(path, 'status.json'), 'utf8')));
  } catch {
    return nothing;
  }
}

/** The runs below `root`, oldest first. */
export async function listRuns(root: string): Promise<string[]> {
  if (!existsSync(root)) return [];
  const entries = await readdir(root, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && existsSync(join(root, entry.name, 'events.jsonl')))
    .filter((entry) => !entry.name.startsWith('.'))
    .map((entry) => join(root, entry.name))
    .sort();
}

/** A run by its path, its id, the end or the beginning of its id, or `latest`. Throws `run_not_found`, `run_ambiguous`. */
export async function findRun(root: string, name: string): Promise<string> {
  if (existsSync(join(name, 'events.jsonl'))) return resolve(name);
  const runs = await listRuns(resolve(root));
  const ids = runs.map((path) => basename(path));
  const exact = ids.indexOf(name);
  const found = runs.filter((_, index) =>
    name === 'latest'
      ? index === runs.length - 1
      : exact >= 0
        ? index === exact
        : ids[index]?.startsWith(name) || ids[index]?.endsWith(name),
  );
  if (found.length === 1 && found[0]) return found[0];
  throw new UserError({
    what:
      found.length > 1
        ? `${found.length} runs match "${name}"`
        : runs.length === 0
          ? 'there are no runs here'
          : `there is no run "${name}"`,
    where: resolve(root),
    next: 'list them with `anneal runs ls`, or name another folder with --runs-dir',
    code: found.length > 1 ? 'run_ambiguous' : 'run_not_found',
  });
}

/**
 * Yields events after `afterSeq` as they are written, for as long as `isLive` (by default: a process is writing the
 * run). What is on the disk when that ends is always yielded.
 */
export async function* followEvents(
  path: string,
  options: { afterSeq?: number; isLive?: () => boolean; pollMilliseconds?: number } = {},
): AsyncGenerator<RunEvent> {
  const { afterSeq = 0, isLive = () => runOwner(path) !== undefined, pollMilliseconds = 100 } = options;
  const file = openSync(join(path, 'events.jsonl'), 'r');
  const buffer = Buffer.allocUnsafe(1 << 16);
  let offset = 0;
  try {
    for (;;) {
      const ending = !isLive();
      let pending = Buffer.alloc(0);
      for (let bytes = 1; bytes > 0; ) {
        bytes = readSync(file, buffer, 0, buffer.length, offset + pending.length);
        pending = Buffer.concat([pending, buffer.subarray(0, bytes)]);
        for (let end = pending.indexOf('\n'); end >= 0; end = pending.indexOf('\n')) {
          const event = parseLine(pending.toString('utf8', 0, end));
          pending = pending.subarray(end + 1);
          offset += end + 1;
          if (event && event.seq > afterSeq) yield event;
        }
      }
      // A last line that is not finished is read again: the next launch may cut it off.
      if (ending) return;
      await wait(pollMilliseconds);
    }
  } finally {
    closeSync(file);
  }
}
