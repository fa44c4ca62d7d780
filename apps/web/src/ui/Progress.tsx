import { Bar } from './Bar.tsx';

/** How far a run is, as a thin bar. */
export function Progress({ step, total, active }: { step: number; total: number | null; active: boolean }) {
  return (
    <div className="h-1 overflow-hidden rounded-full bg-line" aria-hidden="true">
      <Bar share={total ? step / total : 0} color={active ? 'bg-ember' : 'bg-faint'} />
    </div>
  );
}
