import type { ReactNode } from 'react';

/** A part of the settings. */
export function Card({
  title,
  text,
  isComing = false,
  children,
}: {
  title: string;
  text?: string;
  /** What stands in it was asked for, and the screen waits for it. */
  isComing?: boolean;
  children: ReactNode;
}) {
  return (
    <section
      aria-label={title}
      data-coming={isComing || undefined}
      className="min-w-0 rounded-lg border border-line bg-surface"
    >
      <header className="border-line border-b px-4 py-2.5">
        <h2 className="font-medium text-[13.5px]">{title}</h2>
        {text && <p className="text-[12.5px] text-muted">{text}</p>}
      </header>
      <div className="px-4 py-3">{children}</div>
    </section>
  );
}

export const fieldClass =
  'h-8 min-w-0 rounded-md border border-line bg-surface px-2 text-[13px] placeholder:text-muted';
