import type { ReactNode } from 'react';

/** Instead of what is not there: what it is, and what to do. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-2 rounded-lg border border-line border-dashed px-6 py-12 text-center">
      <h2 className="font-medium text-[15px]">{title}</h2>
      <div className="grid max-w-full grid-cols-[minmax(0,auto)] justify-items-center gap-3 text-muted [&>p]:max-w-lg">
        {children}
      </div>
    </div>
  );
}
