'use client';
/** What a step was made of: the rows of its batch, the highest losses first, and one of them token by token. */
import type { MeasuredStep, StudioBatch } from '@anneal/core/protocol/batches';
import type { ListedRun } from '@anneal/core/protocol/studio';
import { useMemo, useState } from 'react';
import { useTranslations } from 'use-intl';
import { type Measuring, useBatch, useBatchRow, useMeasuring } from '../../../agent/batches.ts';
import { useMay } from '../../../agent/useMe.ts';
import { Button } from '../../Button.tsx';
import { type RowWithLoss, shadeOf, withLosses } from '../../batches/losses.ts';
import { RowTokens } from '../../batches/RowTokens.tsx';
import { shadeStyle } from '../../data/shownTokens.ts';
import { ErrorNote, shownError } from '../../ErrorNote.tsx';
import { useFormat } from '../../format.ts';
import { Progress } from '../../Progress.tsx';
import { StepPanel, type StepPanelProps } from './StepPanel.tsx';
import { StepRows } from './StepRows.tsx';

/** Of models with so much memory the losses are measured without being asked for: it takes a moment. */
const measuredAtOnce = 4e9;

export function BatchPanel({ run, step, onStep }: StepPanelProps & { run: ListedRun }) {
  const t = useTranslations('batch');
  const format = useFormat();
  const { data: batch, error } = useBatch(run, step);
  const place =
    batch &&
    t('place', {
      index: format.count(batch.index + 1),
      steps: format.count(batch.stepsPerEpoch),
      epoch: format.count(batch.epoch + 1),
      rows: format.count(batch.rows.length),
      trained: format.count(batch.targetTokens),
      tokens: format.count(batch.tokens),
    });
  return (
    <StepPanel step={step} lastStep={run.totalSteps} onStep={onStep} place={place ?? null}>
      {error ? (
        <ErrorNote error={shownError(error)} />
      ) : batch ? (
        <Rows key={step} run={run} batch={batch} onClose={() => onStep(null)} />
      ) : (
        <p role="status" className="text-muted">
          {t('loading')}…
        </p>
      )}
    </StepPanel>
  );
}

function Rows({ run, batch, onClose }: { run: ListedRun; batch: StudioBatch; onClose: () => void }) {
  const t = useTranslations('batch');
  const mayMeasure = useMay('editor');
  const [isAsked, setIsAsked] = useState(false);
  const isWanted = mayMeasure && batch.checkpoint !== null && (isAsked || (run.plannedMemory ?? 0) <= measuredAtOnce);
  const measuring = useMeasuring(run.key, batch.step, isWanted);
  const rows = useMemo(() => withLosses(batch, measuring.result), [batch, measuring.result]);
  return (
    <StepRows
      label={t('rows')}
      keys={t('keys')}
      rows={rows}
      figure={(row) => <LossFigure loss={row.loss} />}
      onClose={onClose}
    >
      {(chosen) => (
        <div className="grid min-w-0 gap-3">
          <MeasuringNote
            measuring={measuring}
            checkpoint={batch.checkpoint}
            mayMeasure={mayMeasure}
            isWanted={isWanted}
            onAsk={() => setIsAsked(true)}
          />
          <MeasuredRow
            key={chosen.document}
            run={run.key}
            step={batch.step}
            row={chosen}
            checkpoint={measuring.result?.checkpoint ?? null}
          />
        </div>
      )}
    </StepRows>
  );
}

function LossFigure({ loss }: { loss: RowWithLoss['loss'] }) {
  const t = useTranslations('batch');
  const format = useFormat();
  const shown = loss === undefined ? t('unknown') : loss === null ? t('notFinite') : format.number(loss);
  return (
    <span
      className="figures self-start rounded-[3px] px-1 text-right text-[12.5px]"
      style={shadeStyle(shadeOf(loss) ?? 0)}
      aria-label={t('lossOf', { loss: shown })}
    >
      {shown}
    </span>
  );
}

function MeasuredRow({
  run,
  step,
  row,
  checkpoint,
}: {
  run: string;
  step: number;
  row: RowWithLoss;
  checkpoint: number | null;
}) {
  const [parts, setParts] = useState(1);
  const { tokens, error } = useBatchRow(run, step, row.document, { parts, checkpoint });
  return <RowTokens row={row} answers={tokens} error={error} hasLosses onMore={() => setParts(parts + 1)} />;
}

interface MeasuringNoteProps {
  measuring: Measuring;
  checkpoint: number | null;
  mayMeasure: boolean;
  isWanted: boolean;
  onAsk: () => void;
}

/** By whose weights the tokens are colored, or why they are not. */
function MeasuringNote({ measuring, checkpoint, mayMeasure, isWanted, onAsk }: MeasuringNoteProps) {
  const t = useTranslations('batch');
  const format = useFormat();
  const weights = (step: MeasuredStep['checkpoint']) =>
    step === 0 ? t('weightsBefore') : t('weightsOf', { step: format.count(step) });
  if (measuring.error) return <ErrorNote title={t('notMeasured')} error={shownError(measuring.error)} />;
  if (measuring.result)
    return (
      <p className="text-[12.5px] text-muted">{t('measured', { weights: weights(measuring.result.checkpoint) })}</p>
    );
  if (checkpoint === null) return <p className="text-[12.5px] text-muted">{t('noCheckpoint')}</p>;
  if (!mayMeasure) return <p className="text-[12.5px] text-muted">{t('needsEditor')}</p>;
  if (!isWanted) {
    return (
      <div className="flex flex-wrap items-center gap-3 text-[12.5px] text-muted">
        <Button onClick={onAsk}>{t('measure')}</Button>
        {t('measureHint', { weights: weights(checkpoint) })}
      </div>
    );
  }
  const { phase = 'loading', done = 0, of = null } = measuring.progress ?? {};
  return (
    <div role="status" className="grid max-w-sm gap-1.5 text-[12.5px] text-muted">
      {t(phase === 'loading' ? 'loadingModel' : 'measuring', { weights: weights(checkpoint) })}
      <Progress step={done} total={of} active />
    </div>
  );
}
