'use client';
import dynamic from 'next/dynamic';
import { fetchPart } from '../../agent/fetchPart.ts';
import { tellSettled, useWay } from '../../agent/firstSteps.ts';

/** For who is on this way alone. A page that waits for them does not wait in vain. */
const OpenSteps = dynamic(
  async () => {
    const loaded = fetchPart(() =>
      import('./OpenSteps.tsx').catch((error) => {
        tellSettled();
        throw error;
      }),
    );
    return (await loaded).OpenSteps;
  },
  { ssr: false },
);

export function FirstSteps() {
  const way = useWay();
  return way === 'closed' ? null : <OpenSteps reached={way === 'unknown' ? null : way} />;
}
