'use client';
import { useTranslations } from 'use-intl';
import { type ToldProblem, useProblemText } from '../i18n/problems.tsx';
import { AgentWords } from './AgentWords.tsx';
import { CodeText } from './CodeText.tsx';

/** What went wrong, where, and what to do. */
export function ErrorNote({ error, title }: { error: ToldProblem; title?: string }) {
  const t = useTranslations('error');
  const { what, next, said } = useProblemText()(error);
  return (
    <div
      role="alert"
      className="grid gap-1 rounded-lg border border-bad/30 bg-bad-soft px-4 py-3 [overflow-wrap:anywhere]"
    >
      <p className="font-semibold text-bad">{title ?? t('title')}</p>
      <p className="whitespace-pre-wrap">
        <CodeText text={what} />
      </p>
      {error.where && <p className="font-mono text-[12.5px] text-muted">{error.where}</p>}
      {next && (
        <p className="text-muted">
          <CodeText text={next} />
        </p>
      )}
      <AgentWords said={said} />
    </div>
  );
}

/** Of whatever was thrown. */
export function shownError(error: unknown): ToldProblem {
  const told = (error as { data?: { error?: ToldProblem | null } } | null)?.data?.error;
  return told ?? { what: error instanceof Error ? error.message : String(error) };
}
