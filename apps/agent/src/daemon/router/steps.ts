/** Single steps of a run: the rows that one was made of, and what it sampled. */
import type { ListedAnswer } from '@anneal/core/protocol/answers';
import {
  type BatchRowTokens,
  batchRowRequest,
  type MeasuredStep,
  type MeasuringProgress,
  type StudioBatch,
  stepRequest,
} from '@anneal/core/protocol/batches';
import { finish } from '../../service/finish.ts';
import { newestOf } from './newestOf.ts';
import { named } from './runNames.ts';
import { procedure } from './trpc.ts';

export const steps = {
  /** The rows of a step, of any that was or will be. */
  batch: procedure.input(named.extend(stepRequest.shape)).query(async ({ ctx, input }): Promise<StudioBatch> => {
    const { path } = await ctx.agent.feeds.get(input.run);
    return ctx.agent.batches.batch(path, input.step);
  }),

  /** What a step of `rl: grpo` sampled. */
  answers: procedure.input(named.extend(stepRequest.shape)).query(async ({ ctx, input }): Promise<ListedAnswer[]> => {
    const { path } = await ctx.agent.feeds.get(input.run);
    return ctx.agent.batches.answers(path, input.step);
  }),

  /** One of them token by token. */
  batchRow: procedure
    .input(named.extend(batchRowRequest.shape))
    .query(async ({ ctx, input: { run, ...request } }): Promise<BatchRowTokens> => {
      const { path } = await ctx.agent.feeds.get(run);
      return ctx.agent.batches.use(path, (batches) => finish(batches.call('row', request)));
    }),

  /** Measures the losses of a step's tokens by the nearest checkpoint. It ends when nobody listens any more. */
  measureBatch: procedure.input(named.extend(stepRequest.shape)).subscription(async function* ({
    ctx,
    input: { run, step },
    signal,
  }): AsyncGenerator<MeasuringProgress | MeasuredStep> {
    const { path } = await ctx.agent.feeds.get(run);
    yield yield* newestOf<MeasuringProgress, MeasuredStep>(
      (report, left) =>
        ctx.agent.batches.use(path, (batches) => finish(batches.call('measure', { step }, left), report)),
      ctx.pace,
      signal,
    );
  }),
};
