'use client';
import { lazy, Suspense } from 'react';

/** Plain until the explanations are here, and where they cannot be had: a page is not to wait for them. */
const Explained = lazy(async () => {
  const loaded = await import('./Explained.tsx').catch(() => null);
  return { default: loaded?.Explained ?? (({ text }: { text: string }) => text) };
});

/** A title whose words are explained to newcomers. */
export function ExplainedTitle({ text }: { text: string }) {
  return (
    <Suspense fallback={text}>
      <Explained text={text} />
    </Suspense>
  );
}
