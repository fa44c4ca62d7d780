'use client';
import { useWay } from '../../agent/firstSteps.ts';
import { OpenSteps } from './OpenSteps.tsx';

/** For who is on this way alone. */
export function FirstSteps() {
  const way = useWay();
  return way === 'closed' ? null : <OpenSteps reached={way === 'unknown' ? null : way} />;
}
