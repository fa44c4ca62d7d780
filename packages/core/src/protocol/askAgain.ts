/** Of ten seconds each: an agent opens the largest data in less. */
const mostAttempts = 12;

interface Failed {
  readonly error: { readonly message: string; readonly data?: unknown };
  readonly op: { readonly type: string };
  readonly attempts: number;
}

/**
 * When tRPC's `retryLink` asks again: what never left, and what the agent still works on. Where a socket closes right after it opened,
 * tRPC's client fails the question that waited for it with this message, and keeps the others for the next socket.
 */
export const askAgainWhen = {
  retry: ({ error, op, attempts }: Failed): boolean =>
    error.message === 'Active connection is not open' ||
    (op.type === 'query' && codeOf(error.data) === 'still_working' && attempts < mostAttempts),
  retryDelayMs: () => 50,
};

function codeOf(data: unknown): string | undefined {
  return (data as { error?: { code?: string } | null } | null | undefined)?.error?.code;
}
