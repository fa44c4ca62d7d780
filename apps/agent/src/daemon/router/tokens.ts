/** Tokens for programs. */
import { scopes } from '@anneal/core/protocol/roles';
import { z } from 'zod';
import type { ApiToken } from '../auth/apiTokens.ts';
import { nothing, procedure, router } from './trpc.ts';

export const tokens = router({
  list: procedure.input(nothing).query(({ ctx }): ApiToken[] => ctx.agent.tokens.list()),

  /** The secret is told here, once. */
  create: procedure
    .input(z.strictObject({ name: z.string().trim().min(1).max(60), scope: z.enum(scopes) }))
    .mutation(({ ctx, input }) => ctx.agent.tokens.create(input.name, input.scope)),

  revoke: procedure
    .input(z.strictObject({ id: z.string().min(1).max(64) }))
    .mutation(({ ctx, input }): Promise<ApiToken> => ctx.agent.tokens.revoke(input.id)),
});
