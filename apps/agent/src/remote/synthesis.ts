/** Rows that another agent makes, by a recipe of its own. */
import type { SynthesisProgress, SynthesisRequest, SynthesisResult } from '@anneal/core/protocol/synthesis';
import type { Context } from '../service/context.ts';
import type { Connection } from './connection.ts';
import { followJob } from './jobs.ts';
import { synthesisThere } from './names.ts';

/** Whoever stops it cancels the job: what was answered until then is kept there. */
export async function* synthesizeThere(
  connection: Connection,
  { signal }: Context,
  request: SynthesisRequest,
): AsyncGenerator<SynthesisProgress, SynthesisResult> {
  const recipe = await synthesisThere(connection, request.recipe);
  const { job } = await connection.ask((api) => api.synthesis.start.mutate({ ...request, recipe }));
  return yield* followJob<'synthesize'>(connection, job, signal);
}
