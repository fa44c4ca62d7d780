import type { ReactNode } from 'react';

interface PartProps {
  title: string;
  hint?: string;
  action?: ReactNode;
  children: ReactNode;
}

export function Part({ title, hint, action, children }: PartProps) {
  return (
    <section aria-label={title} className="grid grid-cols-[minmax(0,1fr)] gap-2">
      <div className="flex items-center justify-between gap-4">
        <h2 className="font-medium text-[15px]">{title}</h2>
        {action}
      </div>
      {children}
      {hint && <p className="text-[12px] text-muted">{hint}</p>}
    </section>
  );
}
