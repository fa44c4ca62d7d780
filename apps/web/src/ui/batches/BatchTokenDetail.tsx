'use client';
import type { LossToken } from '@anneal/core/protocol/batches';
import { useTranslations } from 'use-intl';
import { spacedBytes } from '../data/shownTokens.ts';
import { TokenLine } from '../data/TokenDetail.tsx';
import { useFormat } from '../format.ts';

/** Everything that is known of one token: where there are losses, its own among it. */
export function BatchTokenDetail({
  token,
  index,
  of,
  hasLosses,
}: {
  token: LossToken | undefined;
  index: number;
  of: number;
  hasLosses: boolean;
}) {
  const t = useTranslations('batch');
  const rowTexts = useTranslations('dataRow');
  const format = useFormat();
  if (!token) return <p className="text-[13px] text-muted">{rowTexts('choose')}</p>;
  const { id, text, spelled, bytes, target, loss } = token;
  return (
    <div className="grid gap-3" aria-live="polite">
      <div>
        <div className="label">{rowTexts('at', { at: format.count(index + 1), of: format.count(of) })}</div>
        <div className="mt-0.5 font-mono text-[17px] [font-variant-ligatures:none] [overflow-wrap:anywhere]">
          {text.replaceAll(' ', '·').replaceAll('\n', '⏎') || spelled}
        </div>
      </div>
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 border-line border-t pt-3 text-[13px]">
        {!hasLosses ? (
          <TokenLine name={t('inTraining')}>{t(target ? 'trained' : 'read')}</TokenLine>
        ) : target ? (
          <>
            <TokenLine name={t('loss')}>
              {loss === undefined ? t('unknown') : loss === null ? t('notFinite') : format.number(loss)}
            </TokenLine>
            <TokenLine name={t('probability')}>
              {typeof loss === 'number' ? `${probabilityOf(loss, format.percent)} %` : t('unknown')}
            </TokenLine>
          </>
        ) : (
          <TokenLine name={t('loss')}>{t('notTrained')}</TokenLine>
        )}
        <TokenLine name={rowTexts('id')}>{id}</TokenLine>
        <TokenLine name={rowTexts('bytes')}>
          <span className="font-mono text-[12.5px]">{spacedBytes(bytes)}</span>
        </TokenLine>
        <TokenLine name={rowTexts('spelled')}>
          <span className="font-mono text-[12.5px]">{spelled}</span>
        </TokenLine>
      </dl>
    </div>
  );
}

function probabilityOf(loss: number, percent: (share: number) => string): string {
  const share = Math.exp(-loss);
  return share < 0.001 ? `< ${percent(0.001)}` : percent(share);
}
