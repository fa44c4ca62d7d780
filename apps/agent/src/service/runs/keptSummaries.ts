/**
 * What `anneal runs ls` has read of runs that nobody writes, in the cache: as long as their files are as they were, their logs
 * are not opened. An agent has an index of its own, which it alone writes; this is a file, replaced at once, of many
 * short processes. Derived from the runs alone: removed, it is made again, and without it only time is lost.
 */
import { createHash } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { defaultCacheDirectory } from '@anneal/core/hub/cache';
import { alertSchema } from '@anneal/core/protocol/alerts';
import { noteSchema } from '@anneal/core/protocol/remarks';
import { statusSchema } from '@anneal/core/protocol/status';
import { replaceFile } from '@anneal/formats/files/atomicWrite';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { z } from 'zod';
import { stampOf } from './stamp.ts';

const summarySchema = z.object({
  status: statusSchema,
  alerts: z.array(alertSchema),
  note: noteSchema.nullable(),
  tags: z.array(z.string()),
});
export type KeptSummary = z.infer<typeof summarySchema>;

const keptSchema = z.object({ stamp: z.string(), summary: summarySchema });

/** Another meaning of what is kept is another number. */
const fileSchema = z.object({ version: z.literal(1), runs: z.record(z.string(), keptSchema) });

/** So few are read in a moment, and leave nothing in the cache. */
const fewRuns = 100;

export class KeptSummaries {
  readonly #file: string;
  readonly #before: Map<string, z.infer<typeof keptSchema>>;
  readonly #now = new Map<string, z.infer<typeof keptSchema>>();
  #hasChanged = false;

  /** @param folder of runs, which is there */
  constructor(folder: string) {
    const name = createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 32);
    this.#file = join(defaultCacheDirectory(), 'runs', `${name}.json`);
    this.#before = readKept(this.#file);
  }

  /** @param run its folder. @param name of the folder @param read what its log says, where that is not known */
  of(run: string, name: string, read: () => KeptSummary): KeptSummary {
    // Before the log is read: what is written meanwhile makes another stamp.
    const stamp = stampOf(run);
    const before = this.#before.get(name);
    if (before && before.stamp === stamp) {
      this.#now.set(name, before);
      return before.summary;
    }
    const summary = read();
    if (stamp === undefined) return summary;
    this.#hasChanged = true;
    this.#now.set(name, { stamp, summary });
    return summary;
  }

  save(): void {
    if (this.#now.size < fewRuns) return;
    if (!this.#hasChanged && this.#now.size === this.#before.size) return;
    try {
      makeFolder(dirname(this.#file));
      replaceFile(this.#file, JSON.stringify({ version: 1, runs: Object.fromEntries(this.#now) }), { sync: false });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }
}

/** Nothing of a file that is not there, or not as it was written. */
function readKept(file: string): Map<string, z.infer<typeof keptSchema>> {
  try {
    return new Map(Object.entries(fileSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).runs));
  } catch {
    return new Map();
  }
}
