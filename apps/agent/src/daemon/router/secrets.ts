/** Secrets of others that the agent keeps: they come in, are used, and are never told again. */
import { type ListedSecret, secretNameSchema, setSecretRequest } from '@anneal/core/protocol/secrets';
import { z } from 'zod';
import { nothing, procedure, router } from './trpc.ts';

export const secrets = router({
  list: procedure.input(nothing).query(({ ctx }): ListedSecret[] => ctx.agent.secrets.list()),

  set: procedure.input(setSecretRequest).mutation(({ ctx, input }) => ctx.agent.secrets.set(input, ctx.me.name)),

  remove: procedure
    .input(z.strictObject({ name: secretNameSchema }))
    .mutation(({ ctx, input }) => ctx.agent.secrets.remove(input.name)),
});
