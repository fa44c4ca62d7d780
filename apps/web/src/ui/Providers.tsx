'use client';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { ThemeProvider } from 'next-themes';
import { NuqsAdapter } from 'nuqs/adapters/next/app';
import { type ReactNode, Suspense, useEffect, useState } from 'react';
import { isBrokenOff } from '../agent/brokenOff.ts';
import { connect } from '../agent/connection.ts';
import { LocaleProvider } from '../i18n/locale.tsx';

export function Providers({ children }: { children: ReactNode }) {
  // The socket waits for the agent by itself; an answer that is an error is one.
  const [client] = useState(
    () =>
      new QueryClient({ defaultOptions: { queries: { retry: (_, error) => isBrokenOff(error), retryDelay: 1000 } } }),
  );
  useEffect(() => void connect(), []);
  return (
    <ThemeProvider attribute="class" defaultTheme="system" enableSystem>
      <LocaleProvider>
        <QueryClientProvider client={client}>
          <Suspense>
            <NuqsAdapter>{children}</NuqsAdapter>
          </Suspense>
        </QueryClientProvider>
      </LocaleProvider>
    </ThemeProvider>
  );
}
