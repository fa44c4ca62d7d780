'use client';
import { mostComparedRuns } from '@anneal/core/protocol/comparedRuns';
import Link from 'next/link';
import { useTranslations } from 'use-intl';
import { Button, buttonClass } from '../Button.tsx';

/** Leads to the comparison of what is selected in the list. */
export function CompareSelected({ selected, onClear }: { selected: readonly string[]; onClear: () => void }) {
  const t = useTranslations('compare');
  if (selected.length === 0) return null;
  const isTooMany = selected.length > mostComparedRuns;
  return (
    <div className="flex flex-wrap items-center gap-2" role="status">
      {selected.length >= 2 && !isTooMany ? (
        <Link href={`/compare?runs=${selected.map(encodeURIComponent).join(',')}`} className={buttonClass('primary')}>
          {t('action', { count: selected.length })}
        </Link>
      ) : (
        <span className="text-[13px] text-muted">
          {isTooMany ? t('tooManyText', { most: mostComparedRuns }) : t('selectTwo')}
        </span>
      )}
      <Button onClick={onClear}>{t('clear')}</Button>
    </div>
  );
}
