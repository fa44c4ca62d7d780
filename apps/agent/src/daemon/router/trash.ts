/** Runs that are removed, and brought back. */
import { basename, join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { RemovedRun } from '@anneal/core/protocol/runs';
import { z } from 'zod';
import { listRemovedRuns, removableRuns, removeRuns, restoreRuns } from '../../service/runs/remove.ts';
import { key, named } from './runNames.ts';
import { nothing, procedure } from './trpc.ts';

export const trash = {
  /** Moves runs into the trash of their folder; one that waits leaves the queue first. */
  remove: procedure.input(z.strictObject({ runs: z.array(key).min(1).max(1000) })).mutation(async ({ ctx, input }) => {
    const { feeds, scheduler } = ctx.agent;
    const found = await Promise.all(input.runs.map((run) => feeds.get(run)));
    await removableRuns({}, { runs: found.map(({ path }) => path) });
    for (const feed of found) if (feed.summary.queued) await scheduler.remove(feed.key);
    await removeRuns({}, { runs: found.map(({ path }) => path) });
    await feeds.all(); // they are known as gone from now on
    feeds.tellList();
  }),

  /** What lies in the trash; each is named by the key that it had. */
  removed: procedure.input(nothing).query(async ({ ctx }): Promise<(RemovedRun & { key: string })[]> => {
    const { workspace } = ctx.agent;
    const all = workspace.runsFolders().map(async (folder) => {
      const found = await listRemovedRuns({ runsFolder: folder });
      return found.map((run) => ({ ...run, key: workspace.keyOf(join(folder, run.id)) }));
    });
    return (await Promise.all(all)).flat();
  }),

  /** Brings a run back that was removed, by the key that it had. */
  restore: procedure.input(named).mutation(async ({ ctx, input }) => {
    const { workspace, feeds } = ctx.agent;
    const folder = workspace
      .runsFolders()
      .find((path) => workspace.keyOf(join(path, basename(input.run))) === input.run);
    if (folder === undefined) throw noTrash(input.run);
    await restoreRuns({ runsFolder: folder }, { runs: [basename(input.run)] });
    feeds.tellList();
  }),
};

function noTrash(where: string): UserError {
  return new UserError({
    what: 'this run is not in the trash',
    where,
    next: 'look at what takes room in the settings: it may have been removed for good',
    code: 'run_not_in_trash',
  });
}
