'use client';
import dynamic from 'next/dynamic';
import { tellSettled, useWay } from '../../agent/firstSteps.ts';

/** For who is on this way alone. A page that waits for them does not wait in vain. */
const OpenSteps = dynamic(
  async () => {
    try {
      return (await import('./OpenSteps.tsx')).OpenSteps;
    } catch (error) {
      tellSettled();
      throw error;
    }
  },
  { ssr: false },
);

export function FirstSteps() {
  const way = useWay();
  return way === 'closed' ? null : <OpenSteps reached={way === 'unknown' ? null : way} />;
}
