/** Runs: the list, one of them as it goes on, and what can be asked of it. */
import { closeSync, fstatSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { alertName } from '@anneal/core/protocol/alerts';
import { mostComparedRuns } from '@anneal/core/protocol/comparedRuns';
import type { Diagnosing, Diagnosis } from '@anneal/core/protocol/diagnoses';
import { prioritySchema } from '@anneal/core/protocol/queue';
import {
  type FoundOutput,
  noteRunRequest,
  overridesSchema,
  type RunComparison,
  type RunDetails,
  searchOutputRequest,
  tagRunRequest,
} from '@anneal/core/protocol/runs';
import type { ListedRun, RunHappenings, RunListChange, RunRecipe, RunSeries } from '@anneal/core/protocol/studio';
import { openRunFile, readRunFile } from '@anneal/core/trainer/runFiles';
import { tracked } from '@trpc/server';
import { z } from 'zod';
import { eachChange } from '../../service/eachChange.ts';
import { finish } from '../../service/finish.ts';
import { acknowledgeAlerts } from '../../service/runs/acknowledge.ts';
import { compareRecords } from '../../service/runs/compare.ts';
import { searchRunOutput } from '../../service/runs/follow.ts';
import { noteRun, tagRun } from '../../service/runs/remark.ts';
import { showRun } from '../../service/runs/show.ts';
import { assertCanGoOn } from '../../service/runs/start.ts';
import { saveRunNow, stopRun } from '../../service/runs/stop.ts';
import { askApart } from '../askApart.ts';
import { recipeOfRun } from '../recipes/recipeOfRun.ts';
import { recordedRuns } from '../runs/record.ts';
import { textAt } from '../workspace.ts';
import { newestOf } from './newestOf.ts';
import { key, named } from './runNames.ts';
import { steps } from './steps.ts';
import { trash } from './trash.ts';
import { nothing, procedure, router } from './trpc.ts';

const outputBytes = 128 << 10;

/** A client that comes back names the last event it has. */
const eventId = z.string().regex(/^\d{1,15}$/);

export const runs = router({
  /** Every run, then every change. */
  list: procedure.input(nothing).subscription(async function* ({ ctx, signal }): AsyncGenerator<RunListChange> {
    const { feeds } = ctx.agent;
    const abort = signal ?? new AbortController().signal;
    const sent = new Map<string, number>();
    let first = true;
    for await (const _ of eachChange((listener) => feeds.onListChange(listener), abort)) {
      await ctx.pace.turn(abort);
      const all = await feeds.all();
      const changed = all.filter((feed) => sent.get(feed.key) !== feed.version);
      const keys = new Set(all.map((feed) => feed.key));
      const gone = [...sent.keys()].filter((known) => !keys.has(known));
      for (const known of gone) sent.delete(known);
      for (const feed of changed) sent.set(feed.key, feed.version);
      if (first || changed.length > 0 || gone.length > 0) yield { runs: changed.map((feed) => feed.summary), gone };
      first = false;
    }
  }),

  get: procedure.input(named).query(async ({ ctx, input }): Promise<ListedRun> => {
    return (await ctx.agent.feeds.get(input.run)).summary;
  }),

  /** Everything about one run, its checkpoints too. */
  show: procedure.input(named).query(async ({ ctx, input }): Promise<RunDetails> => {
    return showRun({}, { run: (await ctx.agent.feeds.get(input.run)).path });
  }),

  /** What went wrong in it. It ends when nobody listens any more. */
  diagnose: procedure.input(named).subscription(async function* ({
    ctx,
    input,
    signal,
  }): AsyncGenerator<Diagnosing | Diagnosis> {
    const { path } = await ctx.agent.feeds.get(input.run);
    yield yield* newestOf<Diagnosing, Diagnosis>(
      (report, left) => finish(askApart('diagnoseRun', {}, { run: path }, left), report),
      ctx.pace,
      signal,
    );
  }),

  /** Runs side by side. */
  compare: procedure
    .input(z.strictObject({ runs: z.array(key).min(2).max(mostComparedRuns), steps: z.boolean().default(false) }))
    .query(async ({ ctx, input }): Promise<RunComparison> => {
      const feeds = await Promise.all(input.runs.map((run) => ctx.agent.feeds.get(run)));
      return compareRecords(await recordedRuns(feeds), { steps: input.steps });
    }),

  /** The steps from `from` to `to` in at most so many buckets; without them all. */
  series: procedure
    .input(
      named.extend({
        from: z.int().min(0).nullable().default(null),
        to: z.int().min(0).nullable().default(null),
        buckets: z.int().min(1).max(4000).default(1000),
        smoothing: z.number().min(0).max(0.999).default(0.9),
      }),
    )
    .query(async ({ ctx, input }): Promise<RunSeries> => (await ctx.agent.feeds.get(input.run)).series(input)),

  /** The events after number `after`, or after the one that a client which comes back has seen. */
  events: procedure
    .input(named.extend({ after: z.int().min(0).default(0), lastEventId: eventId.optional() }))
    .subscription(async function* ({ ctx, input, signal }) {
      const { feeds } = ctx.agent;
      const abort = signal ?? new AbortController().signal;
      const feed = await feeds.get(input.run);
      let seq = input.lastEventId === undefined ? input.after : Number(input.lastEventId);
      let version: number | undefined;
      for await (const _ of eachChange((listener) => feeds.onRunChange(feed, listener), abort)) {
        do {
          await ctx.pace.turn(abort);
          const news = feed.newsAfter(seq);
          if (news.events.length === 0 && version === feed.version) break;
          version = feed.version;
          seq = news.events.at(-1)?.seq ?? seq;
          yield tracked(String(seq), news);
        } while (seq < feed.seq);
      }
    }),

  /** What happened beside the steps: the newest thousand of such events. */
  happenings: procedure.input(named).query(async ({ ctx, input }): Promise<RunHappenings> => {
    return (await ctx.agent.feeds.get(input.run)).happenings;
  }),

  /** The last of what the process of the run has printed. */
  output: procedure.input(named).query(async ({ ctx, input }) => {
    const feed = await ctx.agent.feeds.get(input.run);
    return lastOf(join(feed.path, 'run.log'));
  }),

  /** Lines of all that the process has printed which have a text. It ends when nobody waits for it. */
  searchOutput: procedure
    .input(named.extend({ text: searchOutputRequest.shape.text }))
    .query(async ({ ctx, input: { run, text }, signal }): Promise<FoundOutput> => {
      const { path } = await ctx.agent.feeds.get(run);
      return searchRunOutput({ signal }, { run: path, text });
    }),

  ...steps,
  ...trash,

  /** Asks a run to save a checkpoint and end; with `now` to end at once, and then returns when it has. */
  stop: procedure.input(named.extend({ now: z.boolean().default(false) })).mutation(async ({ ctx, input }) => {
    const feed = await ctx.agent.feeds.get(input.run);
    const asked = stopRun({}, { run: feed.path, now: input.now });
    await asked.next();
    feed.request('stop');
    if (input.now) await asked.next();
  }),

  /** Asks a run for a checkpoint after the step it is in. */
  save: procedure.input(named).mutation(async ({ ctx, input }) => {
    const feed = await ctx.agent.feeds.get(input.run);
    await saveRunNow({}, { run: feed.path });
    feed.request('save');
  }),

  /** Marks its alerts as looked at: those that are named, or all that are open. */
  acknowledge: procedure
    .input(named.extend({ alerts: z.array(alertName.strict()).max(100).optional() }))
    .mutation(async ({ ctx, input: { run, alerts } }) => {
      const feed = await ctx.agent.feeds.get(run);
      await acknowledgeAlerts({}, { run: feed.path, alerts }, ctx.me.name);
      ctx.agent.feeds.tellList();
    }),

  /** Replaces its note; without a text there is none any more. */
  note: procedure.input(named.extend({ text: noteRunRequest.shape.text })).mutation(async ({ ctx, input }) => {
    const feed = await ctx.agent.feeds.get(input.run);
    await noteRun({}, { run: feed.path, text: input.text }, ctx.me.name);
    ctx.agent.feeds.tellList();
  }),

  /** Adds tags, and takes others away. */
  tag: procedure
    .input(named.extend(tagRunRequest.omit({ run: true }).shape))
    .mutation(async ({ ctx, input: { run, ...tags } }) => {
      const feed = await ctx.agent.feeds.get(run);
      await tagRun({}, { run: feed.path, ...tags });
      ctx.agent.feeds.tellList();
    }),

  /** Queues a run that goes on from its newest checkpoint, with changes of its recipe. What it is refused for then stands in its summary. */
  resume: procedure
    .input(named.extend({ set: overridesSchema, priority: prioritySchema }))
    .mutation(async ({ ctx, input: { run, set, priority } }) => {
      const feed = await ctx.agent.feeds.get(run);
      assertCanGoOn(feed.path, feed.summary.state, set);
      await ctx.agent.scheduler.add(run, { priority, changes: set, by: ctx.me.name });
    }),

  /** The recipe as it was written, and with every default; and the file that it came from, where that can be told. */
  recipe: procedure.input(named).query(async ({ ctx, input }): Promise<RunRecipe> => {
    const { path, summary } = await ctx.agent.feeds.get(input.run);
    const written = readRunFile(join(path, 'recipe.yaml'));
    const { workspace } = ctx.agent;
    const file = recipeOfRun(workspace, { path, name: summary.name, text: written });
    const now = workspace.recipes().find((recipe) => recipe.key === file);
    return {
      written,
      resolved: readRunFile(join(path, 'recipe.resolved.yaml')),
      file,
      fileDiffers: now !== undefined && textAt(now.path) !== written,
    };
  }),
});

function lastOf(path: string): { text: string; cut: boolean } {
  const file = openRunFile(path);
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, outputBytes));
    const read = readSync(file, bytes, 0, bytes.length, size - bytes.length);
    return { text: bytes.toString('utf8', 0, read), cut: size > bytes.length };
  } finally {
    closeSync(file);
  }
}
