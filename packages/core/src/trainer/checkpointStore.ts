/**
 * `checkpoints/checkpoint-N/`. A folder without COMPLETE is no checkpoint: it is written under a hidden name, every
 * file and the folder synced, and only then renamed, so a crash at any moment leaves the earlier checkpoints whole.
 */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder, syncTree } from '@anneal/formats/files/atomicWrite';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { UserError } from '../errors.ts';
import { isSealed, readSeal, sealCheckpoint } from './checkpointSeal.ts';
import { asDiskError } from './diskError.ts';
import { kindOf } from './runFiles.ts';

export interface Checkpoint {
  step: number;
  /** Absolute path of the folder. */
  path: string;
  /** What "best" is judged by, lower is better: the validation loss. */
  metric?: number;
}

/** A checkpoint whose COMPLETE cannot be read. */
export interface DamagedCheckpoint {
  step: number;
  path: string;
  error: UserError;
}

/** An earlier checkpoint of the same step, while the new one takes its place. */
const replacedSuffix = '.replaced';
/** The names that only we give, to folders that are not finished or on their way out. */
const ours = /^(\.checkpoint-\d+\.(partial|removed)|checkpoint-\d+\.replaced)$/;

export class CheckpointStore {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * For the one process that writes the run: also removes what a crash of an earlier one left behind. That is a real folder
   * (never a link) under a name of ours; anything else there is somebody's and stays.
   */
  static async open(folder: string): Promise<CheckpointStore> {
    makeFolder(folder);
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      if (kindOf(path) !== 'folder') continue;
      const original = name.endsWith(replacedSuffix) ? path.slice(0, -replacedSuffix.length) : undefined;
      if (original && ours.test(name) && !isSealed(original) && isSealed(path)) {
        if (kindOf(original) === 'folder') await rm(original, { recursive: true });
        await rename(path, original);
      } else if (ours.test(name) || (stepOf(name) !== undefined && !isSealed(path))) {
        await rm(path, { recursive: true, force: true });
      }
    }
    return new CheckpointStore(folder);
  }

  /**
   * Writes a checkpoint through `write`, which fills the folder it is given. Throws `disk_full`, leaving nothing behind.
   * With `limit` the newest so many are kept, and the best one besides.
   */
  async save(
    step: number,
    write: (folder: string) => Promise<void>,
    options: { metric?: number | undefined; limit?: number | undefined } = {},
  ): Promise<Checkpoint & { sha256: string }> {
    const path = join(this.#folder, `checkpoint-${step}`);
    const partial = join(this.#folder, `.checkpoint-${step}.partial`);
    let sha256: string;
    try {
      await rm(partial, { recursive: true, force: true });
      await mkdir(partial);
      await write(partial);
      sha256 = await sealCheckpoint(partial, { step, metric: options.metric });
      await syncTree(partial);
      await replaceFolder(partial, path);
      syncFolder(this.#folder);
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      throw asDiskError(error, path);
    }
    if (options.limit !== undefined) await this.prune(options.limit);
    return { step, path, ...(options.metric === undefined ? {} : { metric: options.metric }), sha256 };
  }

  /** @throws UserError `checkpoint_damaged` */
  async list(): Promise<Checkpoint[]> {
    return listCheckpoints(this.#folder);
  }

  /** Keeps the newest so many, and the best one besides. */
  async prune(limit: number): Promise<void> {
    for (const checkpoint of await prunableCheckpoints(this.#folder, limit)) {
      // Under another name a half removed folder is no checkpoint.
      const removed = join(this.#folder, `.checkpoint-${checkpoint.step}.removed`);
      await rm(removed, { recursive: true, force: true });
      await rename(checkpoint.path, removed);
      await rm(removed, { recursive: true });
    }
  }
}

/**
 * The complete checkpoints in the folder, oldest first. Only reads, so it may run beside the writing process.
 * @throws UserError `checkpoint_damaged`: which is the newest or the best cannot be said then
 */
export async function listCheckpoints(folder: string): Promise<Checkpoint[]> {
  return (await surveyCheckpoints(folder)).map((found) => {
    if ('error' in found) throw found.error;
    return found;
  });
}

/** As `listCheckpoints`, the damaged ones in their places. */
export async function surveyCheckpoints(folder: string): Promise<(Checkpoint | DamagedCheckpoint)[]> {
  if (kindOf(folder) !== 'folder') return [];
  const found: (Checkpoint | DamagedCheckpoint)[] = [];
  for (const name of await readdir(folder)) {
    const step = stepOf(name);
    const path = join(folder, name);
    if (step === undefined || kindOf(path) !== 'folder' || !isSealed(path)) continue;
    try {
      const { metric } = readSeal(path);
      found.push({ step, path, ...(metric === undefined ? {} : { metric }) });
    } catch (error) {
      if (kindOf(path) === undefined) continue; // the writing process has just removed it
      if (!(error instanceof UserError)) throw error;
      found.push({ step, path, error });
    }
  }
  return found.sort((a, b) => a.step - b.step);
}

/** All but the newest so many and the best one. */
export async function prunableCheckpoints(folder: string, limit: number): Promise<Checkpoint[]> {
  const checkpoints = (await surveyCheckpoints(folder)).filter((found) => !('error' in found));
  const best = bestOf(checkpoints);
  return checkpoints.slice(0, -limit).filter((checkpoint) => checkpoint !== best);
}

/** The one with the lowest metric, the earlier of equals; undefined when none has a metric. */
export function bestOf(checkpoints: readonly Checkpoint[]): Checkpoint | undefined {
  let best: Checkpoint | undefined;
  for (const checkpoint of checkpoints) {
    if (checkpoint.metric === undefined) continue;
    if (best?.metric === undefined || checkpoint.metric < best.metric) best = checkpoint;
  }
  return best;
}

/** A folder cannot be renamed onto a full one, so the old one steps aside under a name that `open` can undo. */
async function replaceFolder(from: string, to: string): Promise<void> {
  const aside = `${to}${replacedSuffix}`;
  if (kindOf(to) !== undefined) await rename(to, aside);
  await rename(from, to);
  await rm(aside, { recursive: true, force: true });
}

function stepOf(name: string): number | undefined {
  const match = /^checkpoint-(\d{1,15})$/.exec(name);
  return match ? Number(match[1]) : undefined;
}
