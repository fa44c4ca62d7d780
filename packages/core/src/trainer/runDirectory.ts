/** `runs/<id>/`: everything one run reads and writes, laid out as docs/run-directory.md says. The truth about the run. */
import { createHash } from 'node:crypto';
import { closeSync, constants, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { replaceFile, syncFolder, syncTree } from '@anneal/formats/files/atomicWrite';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { removeLeftovers, temporaryBeside } from '@anneal/formats/files/processOwner';
import { UserError } from '../errors.ts';
import type { ProcessLock } from '../processLock.ts';
import {
  type Environment,
  type EventBody,
  eventsVersion,
  isTerminal,
  type RecipeChange,
  type RunEvent,
} from '../protocol/events.ts';
import type { Status } from '../protocol/status.ts';
import { bestOf, type Checkpoint, CheckpointStore } from './checkpointStore.ts';
import { asDiskError } from './diskError.ts';
import { EventLog } from './eventLog.ts';
import { readEvents } from './eventReader.ts';
import { assertIsRun, damaged, kindOf, openRunFile, readRunFile } from './runFiles.ts';
import { pinsName, type RunHashes, readPinned } from './runHashes.ts';
import { RunHistory } from './runHistory.ts';
import { lockRun } from './runLock.ts';

/** How far status.json may lag behind the events while steps go by; it is exact after every other event. */
const statusEveryMilliseconds = 500;

/** What to do where the folder of runs cannot be made. */
export const RUNS_ELSEWHERE = 'make it writable, or choose another with output_dir or --runs-dir';

/** A run opened for writing; no other process can open it until `close`. */
export class RunDirectory implements AsyncDisposable {
  readonly path: string;
  readonly #lock: ProcessLock;
  readonly #log: EventLog;
  readonly #checkpoints: CheckpointStore;
  readonly #history: RunHistory;
  #statusWritten = 0;
  #isOpen = true;

  private constructor(
    path: string,
    lock: ProcessLock,
    log: EventLog,
    checkpoints: CheckpointStore,
    history: RunHistory,
  ) {
    this.path = path;
    this.#lock = lock;
    this.#log = log;
    this.#checkpoints = checkpoints;
    this.#history = history;
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
    const recipeSha256 = sha256(options.resolvedText);
    run.record({ type: 'run_created', version: eventsVersion, id: basename(path), name: options.name, recipeSha256 });
    return run;
  }

  /**
   * Opens a run to go on writing it; nothing in it changes but for what a killed process left half done.
   * Throws `run_not_found`, `run_entry_foreign`, `run_in_use`, `event_log_damaged`, `run_recipe_changed`.
   */
  static async open(path: string): Promise<RunDirectory> {
    const absolute = resolve(path);
    assertIsRun(absolute);
    const lock = lockRun(absolute);
    try {
      const checkpoints = await CheckpointStore.open(join(absolute, 'checkpoints'));
      const history = new RunHistory(basename(absolute));
      const log = EventLog.open(join(absolute, 'events.jsonl'), (event) => history.add(event));
      finishRecipeChange(absolute, history.recipeSha256);
      for (const file of ['status.json', 'lock.json']) removeLeftovers(join(absolute, file));
      return new RunDirectory(absolute, lock, log, checkpoints, history);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  get id(): string {
    return basename(this.path);
  }

  get status(): Status {
    return this.#history.status;
  }

  /** Every event so far, of earlier launches too, read from the disk. */
  get events(): RunEvent[] {
    return [...readEvents(join(this.path, 'events.jsonl'))];
  }

  get lastEvent(): RunEvent | undefined {
    return this.#history.last;
  }

  /** Where prepared data and the lists of dropped and truncated rows go. */
  get dataFolder(): string {
    return join(this.path, 'data');
  }

  get exportFolder(): string {
    return join(this.path, 'export');
  }

  readResolvedRecipe(): string {
    return readRunFile(join(this.path, 'recipe.resolved.yaml'));
  }

  /** From now on the run follows another recipe.resolved.yaml. A kill at any moment leaves the change done and recorded, or neither. */
  changeRecipe(resolvedText: string, changes: readonly RecipeChange[]): void {
    const next = join(this.path, nextRecipe);
    replaceFile(next, resolvedText, { sync: true });
    this.record({ type: 'recipe_changed', changes: [...changes], recipeSha256: sha256(resolvedText) });
    renameSync(next, join(this.path, 'recipe.resolved.yaml'));
    syncFolder(this.path);
  }

  /** Appends an event. Checkpoints and the end of a run are on the disk before this returns, the rest within a second. */
  record(body: EventBody): RunEvent {
    const durable = body.type === 'checkpoint' || body.type === 'recipe_changed' || isTerminal(body);
    const event = this.#log.append(body, { durable });
    this.#history.add(event);
    if (event.type === 'sample') {
      const { seq, time, step, prompt, text } = event;
      this.#append('samples.jsonl', `${JSON.stringify({ seq, time, step, prompt, text })}\n`);
    }
    if (event.type !== 'step' || Date.now() - this.#statusWritten >= statusEveryMilliseconds) {
      this.#writeStatus({ sync: durable });
    }
    return event;
  }

  /** `started`, preceded by `resumed` when an earlier launch of this run got that far too. `fromStep` 0: from the start. */
  recordStart({
    totalSteps,
    fromStep,
    environment,
  }: {
    totalSteps: number;
    fromStep: number;
    environment?: Environment;
  }): void {
    if (this.#history.wasStarted) this.record({ type: 'resumed', fromStep });
    this.record({ type: 'started', totalSteps, ...(environment && { environment }) });
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
    const { sha256: seal, ...checkpoint } = await this.#checkpoints.save(step, write, options);
    this.record({ type: 'checkpoint', step, path: relative(this.path, checkpoint.path), sha256: seal });
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

  /** Sample prompts that this step has answers to already. */
  answeredSamples(step: number): number {
    return this.#history.answeredSamples(step);
  }

  /** Of COMPLETE of the checkpoint, as the events have it; undefined where a kill came before its event. */
  checkpointSha256(step: number): string | undefined {
    return this.#history.checkpointSha256(step);
  }

  pinned(): RunHashes | undefined {
    const pinned = readPinned(this.path);
    if (pinned === undefined && this.#history.wasStarted) {
      throw damaged(join(this.path, pinsName), 'it is missing, and the run has been started before');
    }
    return pinned;
  }

  /** Writes lock.json at the first launch; at a later one throws `run_inputs_changed` when a hash differs. */
  pin(hashes: RunHashes): void {
    const path = join(this.path, pinsName);
    const pinned = this.pinned();
    if (pinned === undefined) {
      replaceFile(path, `${JSON.stringify(hashes, null, 2)}\n`, { sync: true });
      return;
    }
    const changed = (Object.keys(hashes) as (keyof RunHashes)[]).filter((key) => pinned[key] !== hashes[key]);
    if (changed.length === 0) return;
    throw new UserError({
      what: `the ${changed.join(', ')} changed since this run began, so continuing would not be the same training`,
      where: path,
      next: 'put the earlier files back, or start a new run',
      code: 'run_inputs_changed',
    });
  }

  /** Flushes everything and lets other processes write the run. A second call does nothing. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    try {
      if (this.#statusIsBehind()) this.#writeStatus({ sync: true });
      this.#log.close();
    } finally {
      this.#lock.release();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #writeStatus(options: { sync: boolean }): void {
    replaceFile(join(this.path, 'status.json'), this.#statusText(), options);
    this.#statusWritten = Date.now();
  }

  #statusText(): string {
    return `${JSON.stringify(this.status, null, 2)}\n`;
  }

  #statusIsBehind(): boolean {
    const path = join(this.path, 'status.json');
    return kindOf(path) === undefined || readRunFile(path) !== this.#statusText();
  }

  #append(name: string, text: string): void {
    const path = join(this.path, name);
    const file = openRunFile(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT);
    try {
      writeFileSync(file, text);
    } catch (error) {
      throw asDiskError(error, path);
    } finally {
      closeSync(file);
    }
  }
}

const nextRecipe = 'recipe.resolved.next.yaml';

/** Ends a change that a kill interrupted, and refuses a recipe that no event speaks of: the run would not be the one it says it is. */
function finishRecipeChange(path: string, recorded: string | undefined): void {
  const [next, current] = [join(path, nextRecipe), join(path, 'recipe.resolved.yaml')];
  if (kindOf(next) === 'file') {
    if (sha256(readRunFile(next)) === recorded) renameSync(next, current);
    else rmSync(next);
    syncFolder(path);
  }
  removeLeftovers(next);
  if (recorded === undefined || sha256(readRunFile(current)) === recorded) return;
  throw new UserError({
    what: 'the recipe of this run was edited since its last launch',
    where: current,
    next: 'undo the edit; `anneal runs resume --set key=value` changes the length of a run, and how often it saves and measures',
    code: 'run_recipe_changed',
  });
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function createDraft(root: string): Promise<string> {
  makeFolder(root, RUNS_ELSEWHERE);
  // Hidden, and of a name that tells when its process is gone.
  const wanted = join(root, '.new');
  removeLeftovers(wanted);
  try {
    const draft = temporaryBeside(wanted);
    await mkdir(draft);
    return draft;
  } catch (error) {
    const disk = asDiskError(error, root);
    if (disk instanceof UserError) throw disk;
    throw new UserError({
      what: `the folder for runs cannot be written: ${(error as Error).message}`,
      where: root,
      next: RUNS_ELSEWHERE,
      code: 'runs_not_writable',
      cause: error,
    });
  }
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
