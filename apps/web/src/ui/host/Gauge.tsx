'use client';
import { Bar } from '../Bar.tsx';
import { Sparkline } from '../Sparkline.tsx';

/** How much of something is taken: a figure, a bar, and where it comes from the last two minutes. */
export function Gauge({
  name,
  figure,
  note,
  share,
  history = [],
}: {
  name: string;
  figure: string;
  note?: string | undefined;
  /** From 0 to 1; null where it is not known. */
  share: number | null;
  history?: readonly number[];
}) {
  const isScarce = share !== null && share > 0.9;
  return (
    <div className="grid min-w-0 grid-cols-[minmax(0,1fr)_auto] grid-rows-[22px_auto] gap-x-2 px-4 py-3">
      <dt className="label">{name}</dt>
      <dd aria-hidden="true">{history.length > 1 && <Sparkline values={history} />}</dd>
      <dd className="figures col-span-2 truncate font-medium text-[19px] leading-7 tracking-[-0.02em]">{figure}</dd>
      <dd className="figures col-span-2 min-h-4 truncate text-[12px] text-muted leading-4" title={note}>
        {note}
      </dd>
      <dd className="col-span-2 mt-2 h-1 overflow-hidden rounded-full bg-line" aria-hidden="true">
        <Bar share={share ?? 0} color={isScarce ? 'bg-warn' : 'bg-teal'} />
      </dd>
    </div>
  );
}
