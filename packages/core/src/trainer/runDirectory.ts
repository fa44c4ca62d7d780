/** `runs/<id>/`: everything one run reads and writes, laid out as docs/run-directory.md says. The truth about the run. */
import { closeSync, constants, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { replaceFile } from '@anneal/formats/files/atomicWrite';
import { removeLeftovers } from '@anneal/formats/files/processOwner';
import { UserError } from '../errors.ts';
import type { ProcessLock } from '../processLock.ts';
import {
  type CheckpointReason,
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
import { createRunFolder, type NewRun } from './newRun.ts';
import { changeResolvedRecipe, finishRecipeChange, readResolvedRecipe, recipeSha256 } from './resolvedRecipe.ts';
import { assertIsRun, damaged, kindOf, openRunFile, readRunFile } from './runFiles.ts';
import { pinsName, type RunHashes, readPinned } from './runHashes.ts';
import { RunHistory } from './runHistory.ts';
import { lockRun } from './runLock.ts';

/** How far status.json may lag behind the events while steps go by; it is exact after every other event. */
const statusEveryMilliseconds = 500;

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

  /** A new run. Throws `folder_not_writable`, `runs_not_writable`, `disk_full`. */
  static async create(options: NewRun): Promise<RunDirectory> {
    const path = await createRunFolder(options);
    const run = await RunDirectory.open(path);
    const sha256 = recipeSha256(options.resolvedText);
    const { name, recipePath } = options;
    const recipe = recipePath === undefined ? undefined : relative(path, resolve(recipePath)).replaceAll('\\', '/');
    const made = { version: eventsVersion, id: run.id, name, recipeSha256: sha256 };
    run.record({ type: 'run_created', ...made, ...(recipe !== undefined && { recipe }) });
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
    return readResolvedRecipe(this.path);
  }

  /** From now on the run follows another recipe.resolved.yaml. A kill at any moment leaves the change done and recorded, or neither. */
  changeRecipe(resolvedText: string, changes: readonly RecipeChange[]): void {
    changeResolvedRecipe(this.path, resolvedText, (sha256) =>
      this.record({ type: 'recipe_changed', changes: [...changes], recipeSha256: sha256 }),
    );
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
   * `limit`: save_total_limit; `why` stands in the event. Throws `disk_full`; earlier checkpoints stay.
   */
  async saveCheckpoint(
    step: number,
    write: (folder: string) => Promise<void>,
    { why, ...options }: { metric?: number | undefined; limit?: number | undefined; why?: CheckpointReason } = {},
  ): Promise<Checkpoint> {
    const { sha256: seal, ...checkpoint } = await this.#checkpoints.save(step, write, options);
    this.record({
      type: 'checkpoint',
      step,
      path: relative(this.path, checkpoint.path),
      sha256: seal,
      ...(why && { why }),
    });
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
