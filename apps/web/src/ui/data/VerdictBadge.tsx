'use client';
import type { DataRow } from '@anneal/core/protocol/dataView';
import type { RowVerdict } from '@anneal/core/protocol/rowVerdicts';
import { useTranslations } from 'use-intl';

/** What becomes of a row, in a word. */
export function VerdictBadge({ verdict, leavesOut }: { verdict: RowVerdict; leavesOut: boolean }) {
  const t = useTranslations('verdict');
  const hints = useTranslations('verdictHint');
  const shown = verdict === 'kept' && leavesOut ? 'left_out' : verdict;
  const look =
    shown === 'kept' ? 'text-muted' : shown === 'truncated' || shown === 'left_out' ? 'text-warn' : 'text-bad';
  const dot = shown === 'kept' ? 'bg-good' : shown === 'truncated' || shown === 'left_out' ? 'bg-warn' : 'bg-bad';
  return (
    <span title={hints(shown)} className={`flex max-w-full items-center gap-1.5 text-[12.5px] ${look}`}>
      <span className={`size-1.5 shrink-0 rounded-full ${dot}`} aria-hidden="true" />
      <span className="truncate">{t(shown)}</span>
    </span>
  );
}

export const verdictOf = ({ verdict }: DataRow): RowVerdict =>
  verdict.kind === 'dropped' ? verdict.reason : verdict.kind;
