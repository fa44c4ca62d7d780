'use client';
import type { Spread } from '@anneal/core/protocol/seedGroups';
import { useFormat } from '../format.ts';

/** Mean and standard deviation over the seeds. */
export function SpreadFigure({ of }: { of: Spread | null }) {
  const format = useFormat();
  if (!of) return <>–</>;
  return (
    <>
      {format.number(of.mean)} <span className="text-muted">± {format.number(of.deviation)}</span>
    </>
  );
}
