/** What the agent and the studio agree on of chats beside the schemas, which the studio does without at run time. */

/** Models that answer beside each other. */
export const mostColumns = 4;

export const answerStates = ['waiting', 'loading', 'answering', 'done', 'stopped', 'failed'] as const;

export function isOngoing({ state }: { readonly state: (typeof answerStates)[number] }): boolean {
  return state === 'waiting' || state === 'loading' || state === 'answering';
}

/**
 * The calls that results can be given for. Where an answer was broken off while it went on with results, those it went on with, to be
 * given again.
 */
export function openCalls<Call>({ state, calls, earlier }: CallingAnswer<Call>): readonly Call[] {
  if (calls.length > 0) return calls;
  return state === 'stopped' || state === 'failed' ? (earlier.at(-1)?.calls ?? []) : [];
}

interface CallingAnswer<Call> {
  readonly state: (typeof answerStates)[number];
  readonly calls: readonly Call[];
  readonly earlier: readonly { readonly calls: readonly Call[] }[];
}

/** What stands behind the last `@` of a model's name: a checkpoint, or `base`. */
export function variantOf(id: string): { model: string; variant: string | null } {
  const at = id.lastIndexOf('@');
  return at < 0 ? { model: id, variant: null } : { model: id.slice(0, at), variant: id.slice(at + 1) };
}
