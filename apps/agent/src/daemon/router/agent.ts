import { hostname } from 'node:os';
import { nothing, procedure, router } from './trpc.ts';

export const agent = router({
  /** Which agent this is. */
  about: procedure.input(nothing).query(({ ctx }) => ({
    id: ctx.agent.id,
    version: ctx.agent.version,
    calledAs: ctx.agent.calledAs,
    host: hostname(),
    workspace: ctx.agent.workspace.root,
  })),
});
