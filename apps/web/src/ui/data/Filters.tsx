'use client';
import type { JudgingState } from '@anneal/core/protocol/dataView';
import { ROW_VERDICTS, type RowFilter } from '@anneal/core/protocol/rowVerdicts';
import { useTranslations } from 'use-intl';
import { useFormat } from '../format.ts';

/** The verdicts that there are, each with its rows: one shows only those. */
export function Filters({
  rows,
  judging,
  filter,
  onFilter,
}: {
  rows: number;
  judging: JudgingState;
  filter: RowFilter;
  onFilter: (filter: RowFilter) => void;
}) {
  const t = useTranslations('data');
  const names = useTranslations('verdict');
  const hints = useTranslations('verdictHint');
  const format = useFormat();
  const found = (['problem', 'kept', 'truncated', 'left_out', ...ROW_VERDICTS] as const).filter(
    (verdict, index, all) =>
      all.indexOf(verdict) === index && ((judging.counts[verdict] ?? 0) > 0 || verdict === filter),
  );
  return (
    <div role="group" aria-label={t('filter')} className="flex flex-wrap gap-1.5">
      {(['all', ...found] as const).map((verdict) => (
        <button
          key={verdict}
          type="button"
          aria-pressed={verdict === filter}
          title={hints(verdict)}
          onClick={() => onFilter(verdict)}
          className={`inline-flex h-7 items-center gap-1.5 rounded-full border px-2.5 text-[12.5px] transition-colors ${
            verdict === filter ? 'border-ink bg-ink text-paper' : 'border-line bg-surface hover:border-faint'
          }`}
        >
          {names(verdict)}
          <span className={`figures ${verdict === filter ? 'opacity-75' : colorOf(verdict)}`}>
            {format.count(verdict === 'all' ? rows : (judging.counts[verdict] ?? 0))}
          </span>
        </button>
      ))}
    </div>
  );
}

function colorOf(verdict: RowFilter): string {
  if (verdict === 'all' || verdict === 'kept') return 'text-muted';
  return verdict === 'truncated' || verdict === 'left_out' ? 'text-warn' : 'text-bad';
}
