'use client';
import type { PlannedMemory } from '@anneal/core/protocol/estimates';
import Link from 'next/link';
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { Bar } from '../Bar.tsx';
import { ErrorNote } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { MemoryBar } from '../MemoryBar.tsx';
import type { Estimated } from './useLiveEstimate.ts';

/** Whether a run fits, and what it takes of what there is. */
export function EstimateFigures({ estimate, device, devices, time }: Estimated) {
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
        {devices.map(({ name, free }) => (
          <EstimateLine key={name} name={t('memoryOf', { device: name })}>
            {name === device ? room(fit.memory) : free === null ? '–' : t('free', { free: format.bytes(free) })}
            {name === device && <Share {...fit.memory} />}
          </EstimateLine>
        ))}
        {fit.host.needed > 0 && <EstimateLine name={t('hostMemory')}>{room(fit.host)}</EstimateLine>}
        <EstimateLine name={t('disk')}>
          {room(fit.disk)}
          <Share {...fit.disk} />
        </EstimateLine>
        <EstimateLine name={t('time')}>
          {time === null ? (
            t('timeUnknown')
          ) : (
            <>
              {t('timeAbout', { span: format.span(time.seconds) })}{' '}
              <Link className="underline" href={`/run?id=${encodeURIComponent(time.run)}`}>
                {t('timeAs')}
              </Link>
            </>
          )}
        </EstimateLine>
        <EstimateLine name={t('steps')}>
          {t('stepsOf', { total: format.count(steps.total), perEpoch: format.count(steps.perEpoch) })}
        </EstimateLine>
        <EstimateLine name={t('rows')}>
          {t('rowsOf', { kept: format.count(data.kept), rows: format.count(data.rows) })}
        </EstimateLine>
        <EstimateLine name={t('tokens')}>
          {t('tokensOf', {
            tokens: format.count(data.tokens),
            share: format.count(data.tokens === 0 ? 0 : (100 * data.targetTokens) / data.tokens),
          })}
        </EstimateLine>
        <EstimateLine name={t('parameters')}>{format.count(model.trainableParameters)}</EstimateLine>
      </dl>
    </div>
  );
}

/** What is known before the rows are read. */
export function PlannedMemoryFigures({ memory, fit }: PlannedMemory) {
  const t = useTranslations('recipes');
  const format = useFormat();
  const lines = [
    ['memory', fit.memory],
    ['hostMemory', fit.host],
  ] as const;
  return (
    <div className="grid gap-4">
      <MemoryBar memory={memory} />
      <dl className="grid gap-1.5">
        {lines.map(
          ([name, { needed, available }]) =>
            needed > 0 && (
              <EstimateLine key={name} name={t(name)}>
                {t('needed', { needed: format.bytes(needed), available: format.bytes(available) })}
                <Share needed={needed} available={available} />
              </EstimateLine>
            ),
        )}
      </dl>
    </div>
  );
}

export function EstimateLine({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex items-baseline gap-4">
      <dt className="shrink-0 text-muted">{name}</dt>
      <dd className="figures ml-auto text-right">{children}</dd>
    </div>
  );
}

/** How much of what is free would be taken. */
function Share({ needed, available }: { needed: number; available: number }) {
  const isTooMuch = needed > available;
  return (
    <span className="mt-1 mb-1.5 block h-1 overflow-hidden rounded-full bg-line" aria-hidden="true">
      <Bar share={available > 0 ? needed / available : 1} color={isTooMuch ? 'bg-bad' : 'bg-teal'} />
    </span>
  );
}
