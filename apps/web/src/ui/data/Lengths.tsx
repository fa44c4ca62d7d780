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
import { ErrorNote, shownError } from '../ErrorNote.tsx';
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
  // Until all rows are judged it is an estimate, made once.
  const isExact = judging.state === 'done';
  const { data: lengths, error } = useQuery({
    queryKey: ['data', name, 'lengths', asked, isExact],
    queryFn: () => agent().data.lengths.query({ ...name, sequenceLen: asked }),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    enabled,
  });
  if (error) return <ErrorNote error={shownError(error)} />;
  if (!lengths) {
    // What stands below stays where it is.
    return (
      <section aria-label={t('lengths')} className="min-h-[362px] rounded-lg border border-line bg-surface p-4">
        <h2 className="font-medium text-[13px]">{t('lengths')}</h2>
        <p className="mt-2 text-[13px] text-muted" role="status">
          {t('loading')}…
        </p>
      </section>
    );
  }
  if (lengths.totalRows === 0) return null;
  const { sample } = lengths;
  return (
    <section aria-label={t('lengths')} className="min-h-[362px] rounded-lg border border-line bg-surface p-4">
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
      <Losses lengths={lengths} {...lossAt(lengths, sequenceLen, asked)} cuts={overview.excessLength === 'truncate'} />
      <p className="mt-2 text-[12.5px] text-muted">
        {t(
          overview.excessLength === 'raise'
            ? 'lossRaise'
            : overview.excessLength === 'drop'
              ? 'lossDrop'
              : 'lossTruncate',
        )}
        {sample && ` ${t('sampled', { rows: format.count(sample.rows), of: format.count(sample.of) })}`}
      </p>
    </section>
  );
}

interface Loss {
  loss: LengthLoss;
  /** Of an estimate, how far off it may be. */
  margin: LengthLoss | null;
}

function Losses({ lengths, loss, margin, cuts }: Loss & { lengths: RowLengths; cuts: boolean }) {
  const t = useTranslations('data');
  const format = useFormat();
  const line = (title: string, part: keyof LengthLoss, total: number) => {
    const value = loss[part];
    const off = margin?.[part] ?? 0;
    const shown = off === 0 ? format.count(value) : t('about', { value: format.count(value), off: format.count(off) });
    return (
      <div className="flex items-baseline gap-4">
        <dt className="text-muted">{title}</dt>
        <dd className="figures ml-auto text-right">
          {t('lossOf', { value: shown, share: format.percent(total === 0 ? 0 : value / total) })}
        </dd>
      </div>
    );
  };
  return (
    <dl className="mt-3 grid gap-1 border-line border-t pt-3 text-[13px]">
      {margin && loss.rows === 0 ? (
        <div className="flex items-baseline gap-4">
          <dt className="text-muted">{t('lost')}</dt>
          <dd className="figures ml-auto text-right">{t('noneSampled', { most: format.count(margin.rows) })}</dd>
        </div>
      ) : (
        <>
          {line(t('lost'), 'rows', lengths.totalRows)}
          {line(t('lostTokens'), 'tokens', lengths.totalTokens)}
          {line(t('lostTrained'), 'targetTokens', lengths.totalTargetTokens)}
          {cuts && line(t('beyond'), 'tokensBeyond', lengths.totalTokens)}
        </>
      )}
    </dl>
  );
}

const none: LengthLoss = { rows: 0, tokens: 0, targetTokens: 0, tokensBeyond: 0 };

/** While the line is dragged, that of the nearest bin; what belongs to the very length comes when it rests. */
function lossAt({ loss, lossOfBin, width, longest, sample }: RowLengths, sequenceLen: number, asked: number): Loss {
  if (sequenceLen >= longest) return { loss: none, margin: sample && { ...none, rows: sample.ofNone } };
  const bin = Math.min(lossOfBin.length - 1, Math.round((sequenceLen + 1) / width));
  if (sequenceLen === asked) return { loss, margin: sample && sample.loss };
  return { loss: lossOfBin[bin] ?? loss, margin: sample && (sample.lossOfBin[bin] ?? sample.loss) };
}
