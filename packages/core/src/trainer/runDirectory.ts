/** `runs/<id>/`: everything one run reads and writes, laid out as docs/run-directory.md says. The truth about the run. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { UserError } from '../errors.ts';
import { type EventBody, isTerminal, type RunEvent } from '../protocol/events.ts';
import { initialStatus, type Status, statusAfter } from '../protocol/status.ts';
import { bestOf, type Checkpoint, CheckpointStore } from './checkpointStore.ts';
import { asDiskError, replaceFile, syncFolder, syncTree } from './durable.ts';
import { EventLog } from './eventLog.ts';
import { RunLock } from './runLock.ts';

/** SHA-256 of what the run was made from; a resumed run must find the same. */
export interface RunHashes {
  model: string;
  data: string;
  template: string;
  tokenizer: string;
}

/** How far status.json may lag behind the events while steps go by; it is exact after every other event. */
const statusEveryMilliseconds = 500;

/** A run opened for writing; no other process can open it until `close`. */
export class RunDirectory implements AsyncDisposable {
  readonly path: string;
  readonly #lock: RunLock;
  readonly #log: EventLog;
  readonly #checkpoints: CheckpointStore;
  /** Every event so far, of earlier launches too. */
  readonly #events: RunEvent[];
  #status: Status;
  #statusWritten = 0;

  private constructor(path: string, lock: RunLock, log: EventLog, checkpoints: CheckpointStore, events: RunEvent[]) {
    this.path = path;
    this.#lock = lock;
    this.#log = log;
    this.#checkpoints = checkpoints;
    this.#events = events;
    this.#status = events.reduce(statusAfter, initialStatus(basename(path), basename(path), new Date().toISOString()));
  }

  /** A new run below `root`. The folder appears with both recipes in it, or not at all. Throws `folder_not_writable`, `runs_not_writable`, `disk_full`. */
  static async create(options: {
    root: string;
    name: string;
    recipeText: string;
    resolvedText: string;
  }): Promise<RunDirectory> {
    const root = resolve(options.root);
    const draft = await createDraft(root);
    let path: string;
    try {
      for (const folder of ['checkpoints', 'data', 'export']) await mkdir(join(draft, folder));
      await writeFile(join(draft, 'recipe.yaml'), options.recipeText);
      await writeFile(join(draft, 'recipe.resolved.yaml'), options.resolvedText);
      for (const file of ['events.jsonl', 'samples.jsonl', 'run.log']) await writeFile(join(draft, file), '');
      await syncTree(draft);
      path = await moveToFreeName(draft, join(root, newRunId(options.name)));
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      throw asDiskError(error, root);
    }
    syncFolder(root);
    const run = await RunDirectory.open(path);
    run.record({ type: 'run_created', id: basename(path), name: options.name });
    return run;
  }

  /** Opens a run to go on writing it. Throws `run_not_found`, `run_in_use`, `event_log_damaged`. */
  static async open(path: string): Promise<RunDirectory> {
    const absolute = resolve(path);
    assertIsRun(absolute);
    const lock = RunLock.acquire(absolute);
    try {
      const checkpoints = await CheckpointStore.open(join(absolute, 'checkpoints'));
      const { log, events } = EventLog.open(join(absolute, 'events.jsonl'));
      const run = new RunDirectory(absolute, lock, log, checkpoints, events);
      run.#writeStatus({ sync: false });
      return run;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  get id(): string {
    return basename(this.path);
  }

  get status(): Status {
    return this.#status;
  }

  get events(): readonly RunEvent[] {
    return this.#events;
  }

  /** Where prepared data and the lists of dropped and truncated rows go. */
  get dataFolder(): string {
    return join(this.path, 'data');
  }

  get exportFolder(): string {
    return join(this.path, 'export');
  }

  readResolvedRecipe(): string {
    return readFileSync(join(this.path, 'recipe.resolved.yaml'), 'utf8');
  }

  /** Appends an event. Checkpoints and the end of a run are on the disk before this returns, the rest within a second. */
  record(body: EventBody): RunEvent {
    const durable = body.type === 'checkpoint' || isTerminal(body);
    const event = this.#log.append(body, { durable });
    this.#events.push(event);
    this.#status = statusAfter(this.#status, event);
    if (event.type === 'sample') {
      const { seq, time, step, prompt, text } = event;
      appendFileSync(join(this.path, 'samples.jsonl'), `${JSON.stringify({ seq, time, step, prompt, text })}\n`);
    }
    if (event.type !== 'step' || Date.now() - this.#statusWritten >= statusEveryMilliseconds) {
      this.#writeStatus({ sync: durable });
    }
    return event;
  }

  /** `started`, preceded by `resumed` when an earlier launch of this run got that far too. `fromStep` 0: from the start. */
  recordStart(start: { totalSteps: number; fromStep: number }): void {
    const launchedBefore = this.#events.some((event) => event.type === 'started');
    if (launchedBefore) this.record({ type: 'resumed', fromStep: start.fromStep });
    this.record({ type: 'started', totalSteps: start.totalSteps });
  }

  /**
   * Writes `checkpoints/checkpoint-<step>` through `write` and records it. `metric`: the validation loss at this step;
   * `limit`: save_total_limit. Throws `disk_full`; earlier checkpoints stay.
   */
  async saveCheckpoint(
    step: number,
    write: (folder: string) => Promise<void>,
    options: { metric?: number | undefined; limit?: number | undefined } = {},
  ): Promise<Checkpoint> {
    const checkpoint = await this.#checkpoints.save(step, write, options);
    this.record({ type: 'checkpoint', step, path: relative(this.path, checkpoint.path) });
    return checkpoint;
  }

  async checkpoints(): Promise<Checkpoint[]> {
    return this.#checkpoints.list();
  }

  /** The newest complete checkpoint. */
  async latestCheckpoint(): Promise<Checkpoint | undefined> {
    return (await this.#checkpoints.list()).at(-1);
  }

  /** The complete checkpoint with the lowest validation loss. */
  async bestCheckpoint(): Promise<Checkpoint | undefined> {
    return bestOf(await this.#checkpoints.list());
  }

  /** Writes lock.json at the first launch; at a later one throws `run_inputs_changed` when a hash differs. */
  pin(hashes: RunHashes): void {
    const path = join(this.path, 'lock.json');
    if (!existsSync(path)) {
      replaceFile(path, `${JSON.stringify(hashes, null, 2)}\n`, { sync: true });
      return;
    }
    const pinned = JSON.parse(readFileSync(path, 'utf8')) as RunHashes;
    const changed = (Object.keys(hashes) as (keyof RunHashes)[]).filter((key) => pinned[key] !== hashes[key]);
    if (changed.length === 0) return;
    throw new UserError({
      what: `the ${changed.join(', ')} changed since this run began, so continuing would not be the same training`,
      where: path,
      next: 'put the earlier files back, or start a new run',
      code: 'run_inputs_changed',
    });
  }

  /** Flushes everything and lets other processes write the run. */
  async close(): Promise<void> {
    this.#writeStatus({ sync: true });
    this.#log.close();
    this.#lock.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #writeStatus(options: { sync: boolean }): void {
    replaceFile(join(this.path, 'status.json'), `${JSON.stringify(this.#status, null, 2)}\n`, options);
    this.#statusWritten = Date.now();
  }
}

async function createDraft(root: string): Promise<string> {
  const elsewhere = 'make it writable, or choose another with output_dir or --runs-dir';
  makeFolder(root, elsewhere);
  try {
    const draft = await mkdtemp(join(root, '.new-'));
    await chmod(draft, 0o755);
    return draft;
  } catch (error) {
    const disk = asDiskError(error, root);
    if (disk instanceof UserError) throw disk;
    throw new UserError({
      what: `the folder for runs cannot be written: ${(error as Error).message}`,
      where: root,
      next: elsewhere,
      code: 'runs_not_writable',
      cause: error,
    });
  }
}

export function assertIsRun(path: string): void {
  if (existsSync(join(path, 'recipe.resolved.yaml')) && existsSync(join(path, 'events.jsonl'))) return;
  throw new UserError({
    what: 'this is not a run directory: recipe.resolved.yaml or events.jsonl is missing',
    where: path,
    next: 'list the runs with `anneal runs ls`',
    code: 'run_not_found',
  });
}

/** Sorts by time (UTC) and can be read: 20260131-142500-my-recipe. */
function newRunId(name: string): string {
  const time = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const slug = name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}]+/gu, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 48);
  return slug ? `${time}-${slug}` : time;
}

/** Renames onto `wanted`, or `wanted-2`, … where that is taken, as by a run created in the same second. */
async function moveToFreeName(from: string, wanted: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const path = attempt === 1 ? wanted : `${wanted}-${attempt}`;
    try {
      await rename(from, path);
      return path;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    }
  }
}
