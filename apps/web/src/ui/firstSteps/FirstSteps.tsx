'use client';
import dynamic from 'next/dynamic';
import { useWay } from '../../agent/firstSteps.ts';

/** For who is on this way alone. */
const OpenSteps = dynamic(async () => (await import('./OpenSteps.tsx')).OpenSteps, { ssr: false });

export function FirstSteps() {
  const way = useWay();
  return way === 'closed' ? null : <OpenSteps reached={way === 'unknown' ? null : way} />;
}
