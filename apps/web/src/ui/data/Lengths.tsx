'use client';
import type {
  DataOverview,
  DataSourceName,
  JudgingState,
  LengthLoss,
  RowLengths,
} from '@anneal/core/protocol/dataView';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { parseAsInteger, useQueryState } from 'nuqs';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useHasSocket } from '../../agent/hooks.ts';
import { useFormat } from '../format.ts';
import { useSettled } from '../recipe/useSettled.ts';
import { LengthChart } from './LengthChart.tsx';

/** How long the rows are, and what a sequence_len would lose of them. */
export function Lengths({
  name,
  overview,
  judging,
}: {
  name: DataSourceName;
  overview: DataOverview;
  judging: JudgingState;
}) {
  const t = useTranslations('data');
  const format = useFormat();
  const enabled = useHasSocket();
  const [wanted, setWanted] = useQueryState('length', parseAsInteger);
  const sequenceLen = Math.max(1, wanted ?? overview.sequenceLen);
  const asked = useSettled(sequenceLen, 150);
  // While rows are judged, whenever there are twice as many.
  const judged = judging.state === 'working' ? 2 ** Math.floor(Math.log2(judging.judged)) : judging.judged;
  const { data: lengths } = useQuery({
    queryKey: ['data', name, 'lengths', asked, judged, judging.state],
    queryFn: () => agent().data.lengths.query({ ...name, sequenceLen: asked }),
    placeholderData: keepPreviousData,
    enabled: enabled && judging.judged > 0,
  });
  if (!lengths || lengths.totalRows === 0) return null;
  const loss = lossAt(lengths, sequenceLen, asked);
  return (
    <section aria-label={t('lengths')} className="rounded-lg border border-line bg-surface p-4">
      <h2 className="font-medium text-[13px]">{t('lengths')}</h2>
      <LengthChart lengths={lengths} value={sequenceLen} onChange={(value) => void setWanted(value)} />
      <div className="mt-3 flex items-center gap-2 text-[13px]">
        <label className="flex items-center gap-2">
          <span className="font-mono text-[12.5px]">{t('sequenceLen')}</span>
          <input
            type="number"
            min={1}
            value={sequenceLen}
            onChange={(event) =>
              void setWanted(event.target.valueAsNumber >= 1 ? Math.floor(event.target.valueAsNumber) : null)
            }
            className="figures h-7 w-24 rounded-md border border-line bg-surface px-2"
          />
        </label>
        {sequenceLen !== overview.sequenceLen && (
          <button
            type="button"
            onClick={() => void setWanted(null)}
            className="text-[12.5px] text-ember underline decoration-ember/40 underline-offset-2"
          >
            {t('ofRecipe', { value: format.count(overview.sequenceLen) })}
          </button>
        )}
      </div>
      <Losses lengths={lengths} loss={loss} cuts={overview.excessLength === 'truncate'} />
      <p className="mt-2 text-[12.5px] text-muted">
        {t(
          overview.excessLength === 'raise'
            ? 'lossRaise'
            : overview.excessLength === 'drop'
              ? 'lossDrop'
              : 'lossTruncate',
        )}
        {judging.state !== 'done' && ` ${t('lossSoFar', { judged: format.count(judging.judged) })}`}
      </p>
    </section>
  );
}

function Losses({ lengths, loss, cuts }: { lengths: RowLengths; loss: LengthLoss; cuts: boolean }) {
  const t = useTranslations('data');
  const format = useFormat();
  const line = (title: string, value: number, total: number) => (
    <div className="flex items-baseline gap-4">
      <dt className="text-muted">{title}</dt>
      <dd className="figures ml-auto">
        {t('lossOf', { value: format.count(value), share: format.percent(total === 0 ? 0 : value / total) })}
      </dd>
    </div>
  );
  return (
    <dl className="mt-3 grid gap-1 border-line border-t pt-3 text-[13px]">
      {line(t('lost'), loss.rows, lengths.totalRows)}
      {line(t('lostTokens'), loss.tokens, lengths.totalTokens)}
      {line(t('lostTrained'), loss.targetTokens, lengths.totalTargetTokens)}
      {cuts && line(t('beyond'), loss.tokensBeyond, lengths.totalTokens)}
    </dl>
  );
}

/** While the line is dragged, that of the nearest bin; what is exact comes when it rests. */
function lossAt({ loss, lossOfBin, width, longest }: RowLengths, sequenceLen: number, asked: number): LengthLoss {
  if (sequenceLen === asked || sequenceLen >= longest) {
    return sequenceLen >= longest ? { rows: 0, tokens: 0, targetTokens: 0, tokensBeyond: 0 } : loss;
  }
  return lossOfBin[Math.min(lossOfBin.length - 1, Math.round((sequenceLen + 1) / width))] ?? loss;
}
