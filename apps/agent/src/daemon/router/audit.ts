/** Who did what. */
import type { AuditPage } from '@anneal/core/protocol/people';
import { z } from 'zod';
import { procedure, router } from './trpc.ts';

export const audit = router({
  /** Newest first. @param before what the page before has told */
  page: procedure
    .input(z.strictObject({ before: z.int().min(1).optional() }))
    .query(({ ctx, input }): AuditPage => ctx.agent.audit.page(input.before)),
});
