'use client';
import { useTranslations } from 'use-intl';

export interface ShownError {
  code?: string | undefined;
  what: string;
  where?: string | undefined;
  next?: string | undefined;
}

/** What went wrong, where, and what to do: as the agent says it. */
export function ErrorNote({ error, title }: { error: ShownError; title?: string }) {
  const t = useTranslations('error');
  return (
    <div
      role="alert"
      className="grid gap-1 rounded-lg border border-bad/30 bg-bad-soft px-4 py-3 [overflow-wrap:anywhere]"
    >
      <p className="font-semibold text-bad">{title ?? t('title')}</p>
      <p className="whitespace-pre-wrap">{error.what}</p>
      {error.where && <p className="font-mono text-[12.5px] text-muted">{error.where}</p>}
      {error.next && <p className="text-muted">{error.next}</p>}
    </div>
  );
}

/** Of whatever was thrown. */
export function shownError(error: unknown): ShownError {
  const told = (error as { data?: { error?: ShownError | null } } | null)?.data?.error;
  return told ?? { what: error instanceof Error ? error.message : String(error) };
}
