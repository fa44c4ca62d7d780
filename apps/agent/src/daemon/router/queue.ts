/** The queue: what waits for which device, in which order, and how many run there at a time. */
import { concurrencySchema } from '@anneal/core/protocol/queue';
import type { QueueState } from '@anneal/core/protocol/studio';
import { z } from 'zod';
import { eachChange } from '../../service/eachChange.ts';
import { queueState } from '../queue/queueState.ts';
import { named } from './runNames.ts';
import { nothing, procedure, router } from './trpc.ts';

const deviceName = z.string().min(1).max(16);

export const queue = router({
  /** All of it, and again after every change. */
  state: procedure.input(nothing).subscription(async function* ({ ctx, signal }): AsyncGenerator<QueueState> {
    const { feeds, queue: waiting } = ctx.agent;
    const abort = signal ?? new AbortController().signal;
    let sent = '';
    for await (const _ of eachChange((listener) => feeds.onListChange(listener), abort)) {
      await ctx.pace.turn(abort);
      const state = queueState(waiting.read(), await feeds.all());
      const text = JSON.stringify(state);
      if (text !== sent) yield state;
      sent = text;
    }
  }),

  /** @param place from 1, among the runs that wait for the same device, as `state` tells them */
  move: procedure.input(named.extend({ place: z.int().min(1) })).mutation(async ({ ctx, input }) => {
    const live = (await ctx.agent.feeds.all()).filter(({ pidHere }) => pidHere !== undefined);
    await ctx.agent.queue.move(input.run, input.place, new Set(live.map(({ key }) => key)));
    ctx.agent.feeds.tellList();
  }),

  /** Lets a run that has not begun wait for another device, behind those of its priority. */
  assign: procedure.input(named.extend({ device: deviceName })).mutation(async ({ ctx, input }) => {
    await ctx.agent.scheduler.assign(input.run, input.device);
    ctx.agent.feeds.tellList();
  }),

  /** The run stays as it is, and can be started again. */
  remove: procedure.input(named).mutation(async ({ ctx, input }) => {
    await ctx.agent.scheduler.remove(input.run);
    ctx.agent.feeds.tellList();
  }),

  setConcurrency: procedure
    .input(z.strictObject({ device: deviceName, runs: concurrencySchema }))
    .mutation(async ({ ctx, input }) => {
      await ctx.agent.queue.setConcurrency(input.device, input.runs);
      await ctx.agent.scheduler.look();
      ctx.agent.feeds.tellList();
    }),
});
