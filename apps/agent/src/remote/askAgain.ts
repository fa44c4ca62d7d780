import { askAgainWhen } from '@anneal/core/protocol/askAgain';
import { retryLink } from '@trpc/client';
import type { AppRouter } from '../daemon/router/index.ts';

export const askAgain = retryLink<AppRouter>(askAgainWhen);
