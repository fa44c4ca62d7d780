'use client';
import type { Estimate } from '@anneal/core/protocol/estimates';
import { type ReactNode, useEffect, useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { Button } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { MemoryBar } from '../MemoryBar.tsx';

/**
 * What a run would take, when asked for.
 * @param text the recipe once it is in order
 * @param prepare saves it: the estimate reads the file
 */
export function EstimateCard({
  recipe,
  text,
  prepare,
}: {
  recipe: string;
  text: string | undefined;
  prepare: () => Promise<void>;
}) {
  const t = useTranslations('recipes');
  const [asked, setAsked] = useState<string>();
  const [found, setFound] = useState<{ text: string; estimate?: Estimate; error?: unknown }>();
  useEffect(() => {
    if (asked === undefined) return;
    const subscription = agent().recipes.estimate.subscribe(
      { recipe },
      {
        onData: (estimate) => setFound({ text: asked, estimate }),
        onError: (error) => setFound({ text: asked, error }),
        onComplete: () => setAsked(undefined),
      },
    );
    return () => subscription.unsubscribe();
  }, [asked, recipe]);
  const ask = async () => {
    try {
      await prepare();
      setAsked(text);
    } catch (error) {
      setFound({ text: text ?? '', error });
    }
  };
  const isOld = found !== undefined && text !== undefined && found.text !== text;
  const isWorking = asked !== undefined && found?.text !== asked;
  return (
    <section aria-label={t('estimate')} className="rounded-lg border border-line bg-surface p-4">
      <div className="flex items-center gap-3">
        <h2 className="font-medium text-[13px]">{t('estimate')}</h2>
        <Button className="ml-auto h-7 px-2.5 text-[12.5px]" disabled={text === undefined || isWorking} onClick={ask}>
          {t('estimateAgain')}
        </Button>
      </div>
      <div className={`mt-2 ${isOld ? 'opacity-50' : ''}`}>
        {isWorking ? (
          <p className="text-[13px] text-muted" role="status">
            {t('estimating')}
          </p>
        ) : found?.error ? (
          <ErrorNote error={shownError(found.error)} />
        ) : found?.estimate ? (
          <Shown estimate={found.estimate} />
        ) : (
          <p className="text-[13px] text-muted">{t('estimateHint')}</p>
        )}
      </div>
    </section>
  );
}

function Shown({ estimate }: { estimate: Estimate }) {
  const t = useTranslations('recipes');
  const format = useFormat();
  const { memory, fit, steps, data, model } = estimate;
  const room = ({ needed, available }: { needed: number; available: number }) =>
    t('needed', { needed: format.bytes(needed), available: format.bytes(available) });
  return (
    <div className="grid gap-4">
      {estimate.error ? (
        <ErrorNote title={t('memory')} error={estimate.error} />
      ) : (
        <p className="font-medium text-[13px] text-good">{t('fits')}</p>
      )}
      <MemoryBar memory={memory} />
      <dl className="grid gap-1.5 border-line border-t pt-3 text-[13px]">
        <Line name={t('memory')}>{room(fit.memory)}</Line>
        <Line name={t('disk')}>{room(fit.disk)}</Line>
        <Line name={t('steps')}>
          {t('stepsOf', { total: format.count(steps.total), perEpoch: format.count(steps.perEpoch) })}
        </Line>
        <Line name={t('rows')}>{t('rowsOf', { kept: format.count(data.kept), rows: format.count(data.rows) })}</Line>
        <Line name={t('tokens')}>
          {t('tokensOf', {
            tokens: format.count(data.tokens),
            share: format.count(data.tokens === 0 ? 0 : (100 * data.targetTokens) / data.tokens),
          })}
        </Line>
        <Line name={t('parameters')}>{format.count(model.trainableParameters)}</Line>
      </dl>
    </div>
  );
}

function Line({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex items-baseline gap-4">
      <dt className="text-muted">{name}</dt>
      <dd className="figures ml-auto text-right">{children}</dd>
    </div>
  );
}
