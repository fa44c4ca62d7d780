/** People: who asks, their browsers, and for admins everybody. */
import { UserError } from '@anneal/core/errors';
import {
  type ListedPerson,
  type PairedBrowser,
  type PairingCode,
  type Person,
  personNameSchema,
  roleSchema,
} from '@anneal/core/protocol/people';
import { z } from 'zod';
import { nothing, procedure, router, type SocketCaller } from './trpc.ts';

const named = z.strictObject({ person: z.string().min(1).max(64) });

export const people = router({
  /** Who asks. */
  me: procedure.input(nothing).query(({ ctx }): Person => ctx.me),

  rename: procedure
    .input(z.strictObject({ name: personNameSchema }))
    .mutation(({ ctx, input }) => ctx.agent.access.people.rename(mine(ctx), input.name)),

  /** The browsers of who asks. */
  browsers: procedure
    .input(nothing)
    .query(({ ctx }): PairedBrowser[] => ctx.agent.access.people.browsersOf(ctx.me.id, ctx.caller.session)),

  /** Signs out one of them, or all but the one that asks. */
  endBrowsers: procedure
    .input(z.strictObject({ browser: z.string().length(12).optional() }))
    .mutation(({ ctx, input }) => ctx.agent.access.people.endBrowsers(mine(ctx), ctx.caller.session, input.browser)),

  /** For one more browser of who asks. */
  pairAnother: procedure
    .input(nothing)
    .mutation(({ ctx }): Promise<PairingCode> => ctx.agent.access.people.codeFor(mine(ctx), 'now')),

  list: procedure.input(nothing).query(({ ctx }): ListedPerson[] => ctx.agent.access.people.list()),

  /** A person, and the code that lets them in. */
  invite: procedure
    .input(z.strictObject({ name: personNameSchema, role: roleSchema }))
    .mutation(
      async ({ ctx, input }): Promise<PairingCode> =>
        (await ctx.agent.access.people.invite(input.name, input.role)).code,
    ),

  /** For somebody who has lost theirs. */
  newLink: procedure.input(named).mutation(({ ctx, input }): Promise<PairingCode> => {
    return ctx.agent.access.people.codeFor(input.person, 'later');
  }),

  setRole: procedure
    .input(named.extend({ role: roleSchema }))
    .mutation(({ ctx, input }) => ctx.agent.access.people.setRole(input.person, input.role)),

  /** Signs them out everywhere. */
  remove: procedure.input(named).mutation(({ ctx, input }) => ctx.agent.access.people.remove(input.person)),
});

function mine({ me, caller }: { me: Person; caller: SocketCaller }): string {
  if (caller.session !== undefined) return me.id;
  throw new UserError({
    what: 'a token is nobody, and has no browsers',
    next: 'pair a browser: `anneal pair`',
    code: 'no_person',
  });
}
