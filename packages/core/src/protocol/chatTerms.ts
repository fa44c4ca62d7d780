/** What the agent and the studio agree on of chats beside the schemas, which the studio does without at run time. */

/** Models that answer beside each other. */
export const mostColumns = 4;

export const answerStates = ['waiting', 'loading', 'answering', 'done', 'stopped', 'failed'] as const;

export function isOngoing({ state }: { readonly state: (typeof answerStates)[number] }): boolean {
  return state === 'waiting' || state === 'loading' || state === 'answering';
}

/** What stands behind the last `@` of a model's name: a checkpoint, or `base`. */
export function variantOf(id: string): { model: string; variant: string | null } {
  const at = id.lastIndexOf('@');
  return at < 0 ? { model: id, variant: null } : { model: id.slice(0, at), variant: id.slice(at + 1) };
}
