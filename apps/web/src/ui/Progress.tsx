/** How far a run is, as a thin bar. */
export function Progress({ step, total, active }: { step: number; total: number | null; active: boolean }) {
  const share = total ? Math.min(1, step / total) : 0;
  return (
    <div className="h-1 overflow-hidden rounded-full bg-line" aria-hidden="true">
      <div
        className={`h-full rounded-full transition-[width] duration-300 ${active ? 'bg-ember' : 'bg-faint'}`}
        style={{ width: `${100 * share}%` }}
      />
    </div>
  );
}
