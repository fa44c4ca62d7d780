/**
 * `checkpoints/checkpoint-N/`. A folder without COMPLETE is no checkpoint: it is written under a hidden name, every
 * file and the folder synced, and only then renamed, so a crash at any moment leaves the earlier checkpoints whole.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { asDiskError, syncFolder, syncTree } from './durable.ts';

export interface Checkpoint {
  step: number;
  /** Absolute path of the folder. */
  path: string;
  /** What "best" is judged by, lower is better: the validation loss. */
  metric?: number;
}

const completeName = 'COMPLETE';
/** An earlier checkpoint of the same step, while the new one takes its place. */
const replacedSuffix = '.replaced';

export class CheckpointStore {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** For the one process that writes the run: also removes what a crash left behind. */
  static async open(folder: string): Promise<CheckpointStore> {
    makeFolder(folder);
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const original = name.endsWith(replacedSuffix) ? path.slice(0, -replacedSuffix.length) : undefined;
      if (original && !isComplete(original) && isComplete(path)) {
        await rm(original, { recursive: true, force: true });
        await rename(path, original);
      } else if (name.startsWith('.') || original || (stepOf(name) !== undefined && !isComplete(path))) {
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
  ): Promise<Checkpoint> {
    const path = join(this.#folder, `checkpoint-${step}`);
    const partial = join(this.#folder, `.checkpoint-${step}.partial`);
    try {
      await rm(partial, { recursive: true, force: true });
      await mkdir(partial);
      await write(partial);
      const marker = { step, ...(options.metric === undefined ? {} : { metric: options.metric }) };
      await writeFile(join(partial, completeName), `${JSON.stringify(marker)}\n`);
      await syncTree(partial);
      await replaceFolder(partial, path);
      syncFolder(this.#folder);
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      throw asDiskError(error, path);
    }
    if (options.limit !== undefined) await this.#prune(options.limit);
    return { step, path, ...(options.metric === undefined ? {} : { metric: options.metric }) };
  }

  async list(): Promise<Checkpoint[]> {
    return listCheckpoints(this.#folder);
  }

  async #prune(limit: number): Promise<void> {
    const checkpoints = await this.list();
    const best = bestOf(checkpoints);
    for (const checkpoint of checkpoints.slice(0, -limit)) {
      if (checkpoint === best) continue;
      // Without its marker a half removed folder is no checkpoint.
      await rm(join(checkpoint.path, completeName));
      await rm(checkpoint.path, { recursive: true });
    }
  }
}

/** The complete checkpoints in the folder, oldest first. Only reads, so it may run beside the writing process. */
export async function listCheckpoints(folder: string): Promise<Checkpoint[]> {
  if (!existsSync(folder)) return [];
  const checkpoints: Checkpoint[] = [];
  for (const name of await readdir(folder)) {
    const step = stepOf(name);
    const path = join(folder, name);
    if (step === undefined || !isComplete(path)) continue;
    const { metric } = JSON.parse(readFileSync(join(path, completeName), 'utf8')) as { metric?: number };
    checkpoints.push({ step, path, ...(metric === undefined ? {} : { metric }) });
  }
  return checkpoints.sort((a, b) => a.step - b.step);
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
  if (existsSync(to)) await rename(to, aside);
  await rename(from, to);
  await rm(aside, { recursive: true, force: true });
}

function isComplete(path: string): boolean {
  return existsSync(join(path, completeName));
}

function stepOf(name: string): number | undefined {
  const match = /^checkpoint-(\d+)$/.exec(name);
  return match ? Number(match[1]) : undefined;
}
