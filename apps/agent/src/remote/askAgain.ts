import { retryLink } from '@trpc/client';
import type { AppRouter } from '../daemon/router/index.ts';

/**
 * Asks again what never left. Where a socket closes right after it opened, tRPC's client fails the question that waited for it
 * with this message, and keeps the others for the next socket.
 */
export const askAgain = retryLink<AppRouter>({
  retry: ({ error }) => error.message === 'Active connection is not open',
  retryDelayMs: () => 50,
});
