import { retryLink } from '@trpc/client';
import type { AppRouter } from '../daemon/router/index.ts';

/** Of ten seconds each: an agent opens the largest data in less. */
const mostAttempts = 12;

/**
 * Asks again what never left, and what the agent still works on. Where a socket closes right after it opened, tRPC's client fails the question that waited for it
 * with this message, and keeps the others for the next socket.
 */
export const askAgain = retryLink<AppRouter>({
  retry: ({ error, op, attempts }) =>
    error.message === 'Active connection is not open' ||
    (op.type === 'query' && error.data?.error?.code === 'still_working' && attempts < mostAttempts),
  retryDelayMs: () => 50,
});
