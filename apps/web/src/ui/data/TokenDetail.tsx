'use client';
import type { DataRow } from '@anneal/core/protocol/dataView';
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { useFormat } from '../format.ts';
import { type ShownToken, spacedBytes, spelled } from './shownTokens.ts';

/** Everything that is known of one token, and why it is trained or not. */
export function TokenDetail({
  row,
  token,
  role,
}: {
  row: DataRow;
  token: ShownToken | undefined;
  role: string | null;
}) {
  const t = useTranslations('dataRow');
  const reasons = useTranslations('reason');
  const format = useFormat();
  if (!token) return <p className="text-[13px] text-muted">{t('choose')}</p>;
  const isDropped = row.verdict.kind === 'dropped';
  const isTrained = token.target && !token.isCut && !isDropped;
  return (
    <div className="grid gap-3" aria-live="polite">
      <div>
        <div className="label">
          {t('at', { at: format.count(token.index + 1), of: format.count(row.tokenCount ?? 0) })}
        </div>
        <div className="mt-0.5 font-mono text-[17px] [font-variant-ligatures:none] [overflow-wrap:anywhere]">
          {spelled(token)}
        </div>
      </div>
      <p className="text-[13px]">
        <strong className={`font-semibold ${isTrained ? 'text-ember' : ''}`}>
          {t(isTrained ? 'isTrained' : token.target ? 'wouldBe' : 'isNot')}.
        </strong>{' '}
        {reasons(token.reason)}
        {isDropped && ` ${t('dropped')}`}
        {token.isCut && ` ${t('cut', { length: format.count(row.sequenceLen) })}`}
      </p>
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 border-line border-t pt-3 text-[13px]">
        <TokenLine name={t('id')}>{token.id}</TokenLine>
        <TokenLine name={t('bytes')}>
          {token.bytes === null ? (
            t('noBytes')
          ) : (
            <span className="font-mono text-[12.5px]">{spacedBytes(token.bytes)}</span>
          )}
        </TokenLine>
        <TokenLine name={t('spelled')}>
          <span className="font-mono text-[12.5px]">{token.text}</span>
        </TokenLine>
        <TokenLine name={t('message')}>
          {token.message === null ? t('none') : t('messageOf', { number: token.message + 1, role: role ?? '' })}
        </TokenLine>
      </dl>
    </div>
  );
}

/** A name and what it says, in a list of them. */
export function TokenLine({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{name}</dt>
      <dd className="figures [overflow-wrap:anywhere]">{children}</dd>
    </>
  );
}
