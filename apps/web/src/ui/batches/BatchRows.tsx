'use client';
import { type ReactNode, useEffect, useRef } from 'react';
import { useTranslations } from 'use-intl';
import { useFormat } from '../format.ts';

export interface ListedRow {
  document: number;
  file: string;
  row: number;
  /** Absent where the row has none of its own. */
  tokens?: number;
  excerpt: string;
  side?: 'chosen' | 'rejected' | undefined;
}

/** The rows of a batch, one of which is shown beside. @param figure of a row, before its text */
export function BatchRows<Row extends ListedRow>({
  label,
  rows,
  chosen,
  figure,
  onChoose,
}: {
  label: string;
  rows: readonly Row[];
  chosen: number;
  figure: (row: Row) => ReactNode;
  onChoose: (document: number) => void;
}) {
  return (
    <ol
      aria-label={label}
      className="max-h-[28rem] divide-y divide-line overflow-y-auto rounded-md border border-line max-lg:max-h-64"
    >
      {rows.map((row) => (
        <OneRow key={row.document} row={row} isChosen={row.document === chosen} onChoose={() => onChoose(row.document)}>
          {figure(row)}
        </OneRow>
      ))}
    </ol>
  );
}

function OneRow({
  row,
  isChosen,
  onChoose,
  children,
}: {
  row: ListedRow;
  isChosen: boolean;
  onChoose: () => void;
  children: ReactNode;
}) {
  const t = useTranslations('batch');
  const format = useFormat();
  const element = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isChosen) element.current?.scrollIntoView({ block: 'nearest' });
  }, [isChosen]);
  const parts = [
    `${row.file.split('/').at(-1)}:${row.row}`,
    ...(row.side ? [t(row.side)] : []),
    ...(row.tokens === undefined ? [] : [t('tokens', { tokens: format.count(row.tokens) })]),
  ];
  return (
    <li ref={element}>
      <button
        type="button"
        aria-current={isChosen || undefined}
        onClick={onChoose}
        className={`grid w-full grid-cols-[4.25rem_minmax(0,1fr)] gap-x-3 px-3 py-2 text-left hover:bg-sunken focus-visible:outline-offset-[-2px] ${isChosen ? 'bg-sunken [box-shadow:inset_2px_0_0_0_var(--ember)]' : ''}`}
      >
        {children}
        <span className="min-w-0">
          <span className="line-clamp-2 text-[13px] [overflow-wrap:anywhere]">{row.excerpt}</span>
          <span className="figures block truncate text-[12px] text-muted" title={`${row.file}:${row.row}`}>
            {parts.join(' · ')}
          </span>
        </span>
      </button>
    </li>
  );
}
