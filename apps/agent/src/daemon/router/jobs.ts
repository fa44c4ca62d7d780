/** Jobs: the list as it changes, and ending them. */
import type { JobListChange } from '@anneal/core/protocol/jobs';
import { z } from 'zod';
import { eachChange } from '../../service/eachChange.ts';
import { nothing, procedure, router } from './trpc.ts';

const named = z.strictObject({ job: z.string().min(1).max(64) });

export const jobs = router({
  /** Every job, then every change. */
  list: procedure.input(nothing).subscription(async function* ({ ctx, signal }): AsyncGenerator<JobListChange> {
    const abort = signal ?? new AbortController().signal;
    const sent = new Map<string, number>();
    let first = true;
    for await (const _ of eachChange((listener) => ctx.agent.jobs.onChange(listener), abort)) {
      await ctx.pace.turn(abort);
      const all = ctx.agent.jobs.all();
      const changed = all.filter(({ job, version }) => sent.get(job.id) !== version);
      const ids = new Set(all.map(({ job }) => job.id));
      const gone = [...sent.keys()].filter((known) => !ids.has(known));
      for (const known of gone) sent.delete(known);
      for (const { job, version } of changed) sent.set(job.id, version);
      if (first || changed.length > 0 || gone.length > 0) yield { jobs: changed.map(({ job }) => job), gone };
      first = false;
    }
  }),

  /** Asks a job to end and to clear away what it began. */
  cancel: procedure.input(named).mutation(({ ctx, input }) => ctx.agent.jobs.cancel(input.job)),

  /** Takes a job that has ended off the list. */
  forget: procedure.input(named).mutation(({ ctx, input }) => ctx.agent.jobs.forget(input.job)),
});
