'use client';
import { useEffect, useRef } from 'react';
import { useTranslations } from 'use-intl';
import { shadeStyle } from '../../data/shownTokens.ts';
import { useFormat } from '../../format.ts';
import { type RowWithLoss, shadeOf } from './losses.ts';

/** The rows of a batch, one of which is shown beside. */
export function BatchRows({
  rows,
  chosen,
  onChoose,
}: {
  rows: readonly RowWithLoss[];
  chosen: number;
  onChoose: (document: number) => void;
}) {
  const t = useTranslations('batch');
  return (
    <ol
      aria-label={t('rows')}
      className="max-h-[28rem] divide-y divide-line overflow-y-auto rounded-md border border-line max-lg:max-h-64"
    >
      {rows.map((row) => (
        <Row key={row.document} row={row} isChosen={row.document === chosen} onChoose={() => onChoose(row.document)} />
      ))}
    </ol>
  );
}

function Row({ row, isChosen, onChoose }: { row: RowWithLoss; isChosen: boolean; onChoose: () => void }) {
  const t = useTranslations('batch');
  const format = useFormat();
  const element = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isChosen) element.current?.scrollIntoView({ block: 'nearest' });
  }, [isChosen]);
  const loss = row.loss === undefined ? t('unknown') : row.loss === null ? t('notFinite') : format.number(row.loss);
  return (
    <li ref={element}>
      <button
        type="button"
        aria-current={isChosen || undefined}
        onClick={onChoose}
        className={`grid w-full grid-cols-[4.25rem_minmax(0,1fr)] gap-x-3 px-3 py-2 text-left hover:bg-sunken focus-visible:outline-offset-[-2px] ${isChosen ? 'bg-sunken [box-shadow:inset_2px_0_0_0_var(--ember)]' : ''}`}
      >
        <span
          className="figures self-start rounded-[3px] px-1 text-right text-[12.5px]"
          style={shadeStyle(shadeOf(row.loss) ?? 0)}
          aria-label={t('lossOf', { loss })}
        >
          {loss}
        </span>
        <span className="min-w-0">
          <span className="line-clamp-2 text-[13px] [overflow-wrap:anywhere]">{row.excerpt}</span>
          <span className="figures block truncate text-[12px] text-muted" title={`${row.file}:${row.row}`}>
            {`${row.file.split('/').at(-1)}:${row.row} · ${t('tokens', { tokens: format.count(row.tokens) })}`}
          </span>
        </span>
      </button>
    </li>
  );
}
