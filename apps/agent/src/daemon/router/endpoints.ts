/** Whom recipes that make rows may ask. The keys come in, are used, and are never told again. */
import { endpointName, type ListedEndpoint, setEndpointRequest } from '@anneal/core/protocol/endpoints';
import { z } from 'zod';
import { nothing, procedure, router } from './trpc.ts';

export const endpoints = router({
  /** Beside them, where this agent itself answers. */
  list: procedure.input(nothing).query(({ ctx }): { endpoints: ListedEndpoint[]; own: string } => ({
    endpoints: ctx.agent.endpoints.list(),
    own: ctx.agent.ownApi(),
  })),

  set: procedure.input(setEndpointRequest).mutation(({ ctx, input }) => ctx.agent.endpoints.set(input, ctx.me.name)),

  remove: procedure
    .input(z.strictObject({ name: endpointName }))
    .mutation(({ ctx, input }) => ctx.agent.endpoints.remove(input.name)),
});
