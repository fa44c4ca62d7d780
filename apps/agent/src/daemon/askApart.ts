/** Questions that are answered by a process of their own: so many at a time, for everybody together. */
import { UserError } from '@anneal/core/errors';
import { runApart } from '../runner/runApart.ts';
import type { Context } from '../service/context.ts';
import type { ProgressOf, RequestOf, ResultOf, UseCaseName } from '../service/useCases.ts';

/** Each is a processor and 100 MB or more. */
const mostAtOnce = 8;
/** As long as a request may take. */
const patienceMilliseconds = 10_000;

let running = 0;
/** Who is next, in turn. */
const waiting: (() => void)[] = [];

/** As `runApart`. @throws UserError `agent_busy` where others are asked about for too long */
export async function* askApart<Name extends UseCaseName>(
  name: Name,
  context: Context,
  request: RequestOf<Name>,
  signal?: AbortSignal,
): AsyncGenerator<ProgressOf<Name>, ResultOf<Name>> {
  if (running < mostAtOnce) running++;
  else await turn();
  try {
    return yield* runApart(name, context, request, signal);
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

/** Resolves with the place of one that has ended. */
function turn(): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      waiting.splice(waiting.indexOf(begin), 1);
      reject(busy());
    }, patienceMilliseconds);
    const begin = () => {
      clearTimeout(late);
      resolve();
    };
    waiting.push(begin);
  });
}

function busy(): UserError {
  return new UserError({
    what: `the agent is working on ${mostAtOnce} other questions that take a process each`,
    where: 'this agent',
    next: 'ask again in a moment',
    code: 'agent_busy',
  });
}
