'use client';
import type { LiveEstimate } from '@anneal/core/protocol/estimates';
import type { RecipeCheck } from '@anneal/core/protocol/recipes';
import { useTranslations } from 'use-intl';
import { useConnection } from '../../agent/hooks.ts';
import { useProblemText } from '../../i18n/problems.tsx';
import { Button } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { EstimateFigures, EstimateLine, PlannedMemoryFigures } from './EstimateFigures.tsx';
import { useLiveEstimate } from './useLiveEstimate.ts';

/**
 * What a run would take, as the recipe is written.
 * @param text the recipe once it is in order
 * @param values of its keys, as they were last in order
 */
export function EstimateCard({
  recipe,
  text,
  values,
}: {
  recipe: string;
  text: string | undefined;
  values: RecipeCheck['values'];
}) {
  const t = useTranslations('recipes');
  const problemText = useProblemText();
  const isAway = useConnection() !== 'open';
  const { last, isOld, progress, error, unprepared, prepare, again } = useLiveEstimate(recipe, text);
  return (
    <section aria-label={t('estimate')} className="rounded-lg border border-line bg-surface p-4">
      <div className="flex items-center gap-3">
        <h2 className="font-medium text-[13px]">{t('estimate')}</h2>
        <Button
          className="ml-auto h-7 px-2.5 text-[12.5px]"
          disabled={text === undefined || isAway || progress !== undefined}
          onClick={again}
        >
          {t('estimateAgain')}
        </Button>
      </div>
      <p className="mt-1 min-h-5 text-[12.5px] text-muted" role="status" data-estimate={stateOf(progress, isOld, last)}>
        <State
          progress={progress}
          isOld={isOld}
          hasLast={last !== undefined}
          isReady={text !== undefined}
          isEnded={error !== undefined || unprepared !== undefined}
        />
      </p>
      <div className="mt-2 grid gap-4">
        {unprepared && (
          <div className="grid gap-3 rounded-lg border border-line p-3 text-[13px]">
            <p>{problemText(unprepared.error).what}</p>
            {unprepared.planned && <PlannedMemoryFigures {...unprepared.planned} />}
            <AtOnce values={values} />
            <Button disabled={isAway || progress !== undefined} onClick={prepare}>
              {t('prepareData')}
            </Button>
          </div>
        )}
        {error !== undefined && <ErrorNote error={shownError(error)} />}
        {last && error === undefined && !unprepared && <EstimateFigures {...last} />}
      </div>
    </section>
  );
}

function stateOf(progress: LiveEstimate | undefined, isOld: boolean, last: unknown): string {
  if (progress) return 'working';
  return last === undefined ? 'none' : isOld ? 'old' : 'current';
}

function State({
  progress,
  isOld,
  hasLast,
  isReady,
  isEnded,
}: {
  progress: LiveEstimate | undefined;
  isOld: boolean;
  hasLast: boolean;
  isReady: boolean;
  /** Without an estimate; why is said elsewhere. */
  isEnded: boolean;
}) {
  const t = useTranslations('recipes');
  const format = useFormat();
  const doing =
    progress?.stage === 'preparing'
      ? t('preparing', { rows: format.count(progress.rows), of: format.count(progress.rowsOfFile) })
      : t(progress?.stage === 'waiting' ? 'estimateWaits' : 'estimating');
  if (progress) return `${doing} ${hasLast ? t('estimateOld') : ''}`;
  if (!isReady) return t(hasLast ? 'estimateOld' : 'estimateLater');
  if (isEnded) return '';
  return t(hasLast && !isOld ? 'estimateHint' : 'estimating');
}

/** What the recipe says by itself, before its data are read. */
function AtOnce({ values }: { values: RecipeCheck['values'] }) {
  const t = useTranslations('recipes');
  const format = useFormat();
  const number = (key: string) => Number(values?.[key] ?? Number.NaN);
  const tokens = number('sequence_len') * number('micro_batch_size') * number('gradient_accumulation_steps');
  return (
    <dl className="grid gap-1.5">
      {Number.isFinite(tokens) && <EstimateLine name={t('mostTokens')}>{format.count(tokens)}</EstimateLine>}
      {number('max_steps') > 0 && (
        <EstimateLine name={t('steps')}>{t('mostSteps', { steps: format.count(number('max_steps')) })}</EstimateLine>
      )}
    </dl>
  );
}
