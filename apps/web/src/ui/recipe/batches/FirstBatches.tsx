'use client';
/** The first batches that a run of a recipe would train on, before it is started. */
import type { StudioFirstBatches } from '@anneal/core/protocol/batches';
import { parseAsBoolean, parseAsInteger, useQueryState, useQueryStates } from 'nuqs';
import { useEffect, useRef, useState } from 'react';
import { useTranslations } from 'use-intl';
import { useFirstBatchRow } from '../../../agent/batches.ts';
import { Button } from '../../Button.tsx';
import { BatchRows } from '../../batches/BatchRows.tsx';
import { RowTokens } from '../../batches/RowTokens.tsx';
import { isTyping } from '../../data/isTyping.ts';
import { ErrorNote, shownError } from '../../ErrorNote.tsx';
import { useFormat } from '../../format.ts';
import { Segmented } from '../../Segmented.tsx';
import { WarningNote } from '../../WarningNote.tsx';
import { BatchRuler } from './BatchRuler.tsx';
import { useFirstBatches } from './useFirstBatches.ts';

interface FirstBatchesProps {
  recipe: string;
  /** Once it is in order. */
  text: string | undefined;
  prepare: () => Promise<void>;
}

export default function FirstBatches({ recipe, text, prepare }: FirstBatchesProps) {
  const t = useTranslations('firstBatches');
  const [isOpen, setIsOpen] = useQueryState('batches', parseAsBoolean.withDefault(false));
  const { found, ask, stop, isWorking, isOld } = useFirstBatches(recipe, text, prepare);
  // Where the address asks for them, once.
  const isDue = useRef(isOpen);
  useEffect(() => {
    if (!isDue.current || text === undefined) return;
    isDue.current = false;
    void ask();
  }, [text, ask]);
  const look = () => {
    void setIsOpen(true);
    void ask();
  };
  return (
    <section aria-label={t('title')} className="rounded-lg border border-line bg-surface p-4">
      <div className="flex flex-wrap items-center gap-3">
        <h2 className="font-medium text-[13px]">{t('title')}</h2>
        <div className="ml-auto flex gap-2">
          {isWorking && (
            <Button className="h-7! px-2.5! text-[12.5px]!" onClick={stop}>
              {t('stop')}
            </Button>
          )}
          {isOpen && found && !isWorking && (
            <Button className="h-7! px-2.5! text-[12.5px]!" onClick={() => void setIsOpen(null)}>
              {t('close')}
            </Button>
          )}
          <Button className="h-7! px-2.5! text-[12.5px]!" disabled={text === undefined || isWorking} onClick={look}>
            {t(found && isOpen ? 'again' : 'look')}
          </Button>
        </div>
      </div>
      <div className="mt-2">
        {isWorking ? (
          <p className="text-[13px] text-muted" role="status">
            {t('preparing')}
          </p>
        ) : !isOpen || !found ? (
          <p className="text-[13px] text-muted">{t('hint')}</p>
        ) : found.error ? (
          <ErrorNote error={shownError(found.error)} />
        ) : (
          found.batches && (
            <div className="grid gap-3">
              {isOld && (
                <p role="status" className="rounded-md border border-warn/30 bg-warn-soft px-3 py-2 text-[13px]">
                  {t('old')}
                </p>
              )}
              <Shown key={found.batches.id} recipe={recipe} found={found.batches} />
            </div>
          )
        )}
      </div>
    </section>
  );
}

type Batch = StudioFirstBatches['batches'][number];

function Shown({ recipe, found }: { recipe: string; found: StudioFirstBatches }) {
  const t = useTranslations('firstBatches');
  const format = useFormat();
  const { batches, totalSteps, stepsPerEpoch, maxTokens, isPacked, hasDivergence, warnings } = found;
  const [{ batch: wanted }, setPlace] = useQueryStates({
    batch: parseAsInteger.withDefault(1),
    document: parseAsInteger,
    token: parseAsInteger,
  });
  const at = Math.min(Math.max(1, wanted), batches.length);
  const batch = batches[at - 1] as Batch;
  return (
    <div className="grid gap-3">
      {warnings.map((warning) => (
        <WarningNote key={warning.message} warning={warning} />
      ))}
      <p className="text-[13px] text-muted">
        {t('all', { steps: format.count(totalSteps), perEpoch: format.count(stepsPerEpoch) })}{' '}
        {t(isPacked ? 'packed' : 'notPacked', { room: format.count(maxTokens) })} {hasDivergence && t('divergence')}
      </p>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <Segmented
          label={t('batch')}
          value={String(at)}
          onChange={(value) => void setPlace({ batch: Number(value), document: null, token: null })}
          options={batches.map((_, i) => ({ value: String(i + 1), name: t('number', { number: i + 1 }) }))}
        />
        <p className="figures text-[12.5px] text-muted">
          {t(batch.of === 1 ? 'step' : 'partOfStep', {
            step: format.count(batch.step),
            number: format.count(batch.number),
            of: format.count(batch.of),
          })}{' '}
          {t('figures', {
            rows: batch.rows.length,
            trained: format.count(batch.targetTokens),
            tokens: format.count(batch.tokens),
          })}{' '}
          {batch.padding === 0 ? t('noPadding') : t('padding', { tokens: format.count(batch.padding) })}{' '}
          {t('empty', { tokens: format.count(maxTokens - batch.tokens) })}
        </p>
      </div>
      <Rows key={at} recipe={recipe} id={found.id} batch={batch} maxTokens={maxTokens} />
    </div>
  );
}

function Rows({ recipe, id, batch, maxTokens }: { recipe: string; id: string; batch: Batch; maxTokens: number }) {
  const t = useTranslations('firstBatches');
  const format = useFormat();
  const { rows } = batch;
  const [document, setDocument] = useQueryState('document', parseAsInteger);
  const at = Math.max(
    0,
    rows.findIndex((row) => row.document === document),
  );
  const chosen = rows[at] as Batch['rows'][number];
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
      const next = { j: at + 1, k: at - 1 }[event.key];
      if (next === undefined || !rows[next]) return;
      void setDocument(rows[next].document);
      event.preventDefault();
    };
    globalThis.document.addEventListener('keydown', onKeyDown);
    return () => globalThis.document.removeEventListener('keydown', onKeyDown);
  });
  return (
    <>
      <BatchRuler batch={batch} maxTokens={maxTokens} chosen={chosen.document} />
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-4 lg:grid-cols-[minmax(18rem,2fr)_minmax(0,5fr)]">
        <div className="grid gap-2">
          <BatchRows
            label={t('rows')}
            rows={rows}
            chosen={chosen.document}
            figure={({ targetTokens }) => (
              <span className="figures text-right text-[12.5px] text-ember" title={t('trainedTokens')}>
                {format.count(targetTokens)}
              </span>
            )}
            onChoose={(row) => void setDocument(row)}
          />
          <p className="text-[12px] text-muted max-lg:hidden">{t('keys')}</p>
        </div>
        <Row key={chosen.document} recipe={recipe} id={id} row={chosen} />
      </div>
    </>
  );
}

function Row({ recipe, id, row }: { recipe: string; id: string; row: Batch['rows'][number] }) {
  const [parts, setParts] = useState(1);
  const { tokens, error } = useFirstBatchRow(recipe, id, row.document, parts);
  return <RowTokens row={row} answers={tokens} error={error} hasLosses={false} onMore={() => setParts(parts + 1)} />;
}
