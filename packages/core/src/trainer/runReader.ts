/** Looking at runs without writing them, also while another process does. */
import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { AlertWatch } from '../alerts/alertWatch.ts';
import { UserError } from '../errors.ts';
import type { RunEvent } from '../protocol/events.ts';
import { initialStatus, type RunState, type Status, statusAfter } from '../protocol/status.ts';
import { readEvents } from './eventReader.ts';
import { assertIsRun, kindOf } from './runFiles.ts';
import { type RunOwner, runOwner } from './runLock.ts';

export interface RunView {
  path: string;
  status: Status;
  /** As in the status, or `interrupted` when the process that should be running is gone. */
  state: RunState | 'interrupted';
  owner: RunOwner | undefined;
  /** What its events have raised. */
  watch: AlertWatch;
}

/**
 * What the events say, each of which is handed on; status.json is for others and never believed here.
 * Throws `run_not_found`, `run_entry_foreign`, `run_not_readable`, `event_log_damaged`.
 */
export function readRun(path: string, onEvent?: (event: RunEvent) => void): RunView {
  const absolute = resolve(path);
  assertIsRun(absolute);
  // Before the events: an owner that ends in between has then written its last one.
  const owner = runOwner(absolute);
  const watch = new AlertWatch();
  let status = initialStatus(basename(absolute), basename(absolute), '');
  for (const event of readEvents(join(absolute, 'events.jsonl'))) {
    status = statusAfter(status, event);
    watch.add(event);
    onEvent?.(event);
  }
  return { path: absolute, status, state: stateOf(status, owner), owner, watch };
}

/** What the events say, or `interrupted`. */
export function stateOf({ state }: Status, owner: RunOwner | undefined): RunView['state'] {
  const shouldRun = state === 'preparing' || state === 'running';
  return shouldRun && !owner ? 'interrupted' : state;
}

/** The folders of the runs below `root`, oldest first. */
export async function listRuns(root: string): Promise<string[]> {
  if (kindOf(root) === undefined) return [];
  const entries = await readdir(root, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    throw new UserError({
      what: `the folder of the runs cannot be read (${cause.code})`,
      where: root,
      next: 'name the folder with --runs-dir',
      code: 'runs_not_readable',
      cause,
    });
  });
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && isRunFolder(join(root, entry.name)))
    .map((entry) => join(root, entry.name))
    .sort();
}

/** A folder that cannot be looked into may be one. */
function isRunFolder(path: string): boolean {
  try {
    return kindOf(join(path, 'events.jsonl')) !== undefined;
  } catch {
    return true;
  }
}

/** A run by its path, its id, the end or the beginning of its id, or `latest`. Throws `run_not_found`, `run_ambiguous`. */
export async function findRun(root: string, name: string): Promise<string> {
  if (kindOf(join(name, 'events.jsonl')) !== undefined) return resolve(name);
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
