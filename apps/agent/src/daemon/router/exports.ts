/** What runs are exported as: what could be, what is there, and the jobs that write and compare it. */
import { join } from 'node:path';
import { exportRequest, type StudioExport, type StudioExportPlan } from '@anneal/core/protocol/exports';
import { pushRequest } from '@anneal/core/protocol/push';
import { z } from 'zod';
import { removeExports } from '../../service/exports/remove.ts';
import { finish } from '../../service/finish.ts';
import { showRun } from '../../service/runs/show.ts';
import { askApart } from '../askApart.ts';
import { exportsNamed, exportsOf, foldersWithExports } from '../exports/find.ts';
import { startCheck, startExport, startPush } from '../exports/jobs.ts';
import { procedure, router } from './trpc.ts';

const key = z.string().min(1).max(2048);
const ofRun = z.strictObject({ run: key, checkpoint: exportRequest.shape.checkpoint });
const named = z.strictObject({ run: key, exports: z.array(key).min(1).max(100) });
/** Files of the agent's machine are not read for others. */
const order = exportRequest.omit({ source: true, imatrixFile: true }).extend({
  run: key,
  /** Afterwards its answers are compared with those of the run. */
  check: z.boolean().default(false),
});

const pushOrder = pushRequest
  .omit({ source: true })
  .extend({ run: key /** By default the only form of the run. */, exported: key.optional() });

export const exports = router({
  /** What a checkpoint could be exported as, and how large each form would be. */
  plan: procedure.input(ofRun).query(async ({ ctx, input, signal }): Promise<StudioExportPlan> => {
    const { path } = await ctx.agent.feeds.get(input.run);
    const { checkpoints, bestCheckpoint } = await showRun({}, { run: path });
    const plan = await finish(askApart('planExport', {}, { source: path, checkpoint: input.checkpoint }, signal));
    return {
      ...plan,
      target: plan.target === null ? null : ctx.agent.workspace.keyOf(plan.target),
      checkpoints: checkpoints.map(({ step, metric = null, path: folder }) => ({
        step,
        metric,
        isBest: folder === bestCheckpoint,
      })),
    };
  }),

  /** What a run was exported as and still lies there, oldest first. */
  list: procedure.input(z.strictObject({ run: key })).query(async ({ ctx, input }): Promise<StudioExport[]> => {
    const { workspace, feeds } = ctx.agent;
    const found = await exportsOf(workspace, await feeds.get(input.run));
    return found.map(({ folder, ...entry }) => ({ ...entry, key: workspace.keyOf(join(folder, entry.path)) }));
  }),

  /** Begins a job that writes every form that was asked for. */
  start: procedure.input(order).mutation(async ({ ctx, input }): Promise<{ job: string }> => {
    const { run, to, ...wanted } = input;
    const feed = await ctx.agent.feeds.get(run);
    const folder = to === undefined ? undefined : ctx.agent.workspace.newFolder(to);
    return { job: startExport(ctx.agent, feed, { ...wanted, to: folder }) };
  }),

  /** Begins a job that asks a run and what was exported of it the same. */
  check: procedure.input(named).mutation(async ({ ctx, input }): Promise<{ job: string }> => {
    const { workspace, feeds } = ctx.agent;
    const feed = await feeds.get(input.run);
    return { job: startCheck(ctx.agent, feed, await exportsNamed(workspace, feed, input.exports)) };
  }),

  /** Begins a job that sends what a run was exported as to a hub; of GGUF files all that lie together. */
  push: procedure.input(pushOrder).mutation(async ({ ctx, input }): Promise<{ job: string }> => {
    const { run, exported, ...wanted } = input;
    const feed = await ctx.agent.feeds.get(run);
    const found = exported === undefined ? [] : await exportsNamed(ctx.agent.workspace, feed, [exported]);
    return { job: startPush(ctx.agent, feed, found[0], wanted) };
  }),

  remove: procedure.input(named).mutation(async ({ ctx, input }) => {
    const { workspace, feeds } = ctx.agent;
    const feed = await feeds.get(input.run);
    const found = await exportsNamed(workspace, feed, input.exports);
    const paths = found.map(({ folder, path }) => join(folder, path));
    await removeExports({}, { run: feed.path, paths }, foldersWithExports(workspace));
  }),
});
