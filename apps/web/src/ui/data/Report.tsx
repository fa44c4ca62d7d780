'use client';
import type { DataReport, DataReportResult } from '@anneal/core/protocol/data';
import type { DataSourceName } from '@anneal/core/protocol/dataView';
import { type ReactNode, useEffect, useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { Button } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { WarningNote } from '../WarningNote.tsx';

const mostExamples = 5;

/** What all rows are together, when asked for: how they pack, which are alike, what is measured and trained. */
export function Report({ name }: { name: DataSourceName }) {
  const t = useTranslations('data');
  const [asked, setAsked] = useState(false);
  const [found, setFound] = useState<DataReportResult>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    if (!asked) return;
    const subscription = agent().data.report.subscribe(name, {
      onData: setFound,
      onError: setError,
      onComplete: () => setAsked(false),
    });
    return () => subscription.unsubscribe();
  }, [asked, name]);
  return (
    <section aria-label={t('report')} className="rounded-lg border border-line bg-surface p-4 text-[13px]">
      <div className="flex items-center gap-3">
        <h2 className="font-medium">{t('report')}</h2>
        {!found && (
          <Button
            className="ml-auto h-7 px-2.5 text-[12.5px]"
            disabled={asked && !error}
            onClick={() => {
              setError(undefined);
              setAsked(true);
            }}
          >
            {t('reportAsk')}
          </Button>
        )}
      </div>
      <div className="mt-2 grid gap-2">
        {error ? (
          <ErrorNote error={shownError(error)} />
        ) : found ? (
          <>
            {found.refusal && <ErrorNote title={t('refused')} error={found.refusal} />}
            {found.report && <Shown report={found.report} />}
            {found.report?.warnings.map((warning) => (
              <WarningNote key={warning.code} warning={warning} />
            ))}
          </>
        ) : (
          <p className="text-muted" role={asked ? 'status' : undefined}>
            {t(asked ? 'reporting' : 'reportHint')}
          </p>
        )}
      </div>
    </section>
  );
}

function Shown({ report: { summary, sequenceLen, packing, nearDuplicates, leakage } }: { report: DataReport }) {
  const t = useTranslations('data');
  const format = useFormat();
  return (
    <dl className="grid gap-1.5">
      <Line name={t('epoch')}>
        {t('epochOf', {
          tokens: format.count(summary.tokens),
          share: format.percent(summary.tokens === 0 ? 0 : summary.targetTokens / summary.tokens),
        })}
      </Line>
      <Line name={t('documents')}>
        {t('documentsOf', {
          train: format.count(summary.trainDocuments),
          validation: format.count(summary.validationDocuments),
        })}
      </Line>
      {packing && (
        <Line name={t('packing')}>
          {t('packingOf', {
            bins: format.count(packing.bins),
            length: format.count(sequenceLen),
            share: format.percent(packing.efficiency),
          })}
          <span className="block text-[12px] text-muted">
            {t('unpacked', { share: format.percent(packing.unpacked) })}
          </span>
        </Line>
      )}
      <Line name={t('near')} warns={nearDuplicates.pairs > 0}>
        {t('nearOf', { pairs: format.count(nearDuplicates.pairs), compared: format.count(nearDuplicates.compared) })}
      </Line>
      {nearDuplicates.examples.slice(0, mostExamples).map(({ first, second, similarity }) => (
        <div key={`${first.file}:${first.row} ${second.file}:${second.row}`} className="figures flex gap-3 text-[12px]">
          <dt className="font-mono [overflow-wrap:anywhere]">
            {placeOf(first)} · {placeOf(second)}
          </dt>
          <dd className="ml-auto whitespace-nowrap text-muted">{t('alike', { share: format.percent(similarity) })}</dd>
        </div>
      ))}
      <Line name={t('leakage')} warns={leakage.exact + leakage.near > 0}>
        {t('leakageOf', { exact: format.count(leakage.exact), near: format.count(leakage.near) })}
      </Line>
    </dl>
  );
}

function Line({ name, warns = false, children }: { name: string; warns?: boolean; children: ReactNode }) {
  return (
    <div className="flex items-baseline gap-4">
      <dt className="shrink-0 text-muted">{name}</dt>
      <dd className={`figures ml-auto text-right ${warns ? 'text-warn' : ''}`}>{children}</dd>
    </div>
  );
}

/** The file's name and the row in it. */
const placeOf = ({ file, row }: { file: string; row: number }): string => `${file.split('/').at(-1)}:${row}`;
