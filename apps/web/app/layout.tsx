import '@fontsource-variable/inter';
import '@fontsource-variable/jetbrains-mono';
import './globals.css';
import type { Metadata, Viewport } from 'next';
import type { ReactNode } from 'react';
import { Frame } from '../src/ui/Frame.tsx';
import { Providers } from '../src/ui/Providers.tsx';

export const metadata: Metadata = { title: { default: 'Anneal', template: '%s · Anneal' } };
export const viewport: Viewport = {
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#fbfaf8' },
    { media: '(prefers-color-scheme: dark)', color: '#131110' },
  ],
};

export default function Layout({ children }: { children: ReactNode }) {
  return (
    // The theme's script sets a class before React is there.
    <html lang="en" suppressHydrationWarning>
      <body>
        <Providers>
          <Frame>{children}</Frame>
        </Providers>
      </body>
    </html>
  );
}
