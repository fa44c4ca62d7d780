'use client';
/** The frame of what is shown of one step, with the way to the steps beside it. */
import { ChevronLeft, ChevronRight, X } from 'lucide-react';
import { type ReactNode, useEffect, useRef } from 'react';
import { useTranslations } from 'use-intl';
import { IconButton } from '../../Button.tsx';
import { useFormat } from '../../format.ts';

export interface StepPanelProps {
  step: number;
  /** Null: none any more. */
  onStep: (step: number | null) => void;
}

/** @param lastStep of the run, null while nobody knows. @param place a line about the step, null until it is known */
export function StepPanel({
  step,
  lastStep,
  onStep,
  place,
  children,
}: StepPanelProps & { lastStep: number | null; place: string | null; children: ReactNode }) {
  const t = useTranslations('batch');
  const format = useFormat();
  const section = useRef<HTMLElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  // Whoever has chosen a step, in a chart above or with the arrows here, goes on with it.
  useEffect(() => {
    heading.current?.focus({ preventScroll: true });
    section.current?.scrollIntoView({ block: 'nearest' });
  }, [step]);
  return (
    // As high from the beginning as most steps are: what is scrolled to shows its rows, too.
    <section
      ref={section}
      aria-label={t('title', { step: format.count(step) })}
      className="min-h-80 scroll-mt-16 scroll-mb-4 rounded-lg border border-line bg-surface"
    >
      <header className="flex min-h-11 flex-wrap items-center gap-x-4 gap-y-1 border-line border-b px-4 py-2">
        <h2 ref={heading} tabIndex={-1} className="font-medium text-[14px] outline-none">
          {t('title', { step: format.count(step) })}
        </h2>
        {place !== null && <p className="figures text-[12.5px] text-muted">{place}</p>}
        <div className="ml-auto flex items-center gap-1">
          <IconButton
            label={t('previousStep')}
            disabled={step <= 1}
            onClick={() => onStep(Math.min(step - 1, lastStep ?? step))}
          >
            <ChevronLeft className="size-4" />
          </IconButton>
          <IconButton
            label={t('nextStep')}
            disabled={lastStep !== null && step >= lastStep}
            onClick={() => onStep(step + 1)}
          >
            <ChevronRight className="size-4" />
          </IconButton>
          <IconButton label={t('close')} onClick={() => onStep(null)}>
            <X className="size-4" />
          </IconButton>
        </div>
      </header>
      <div className="p-4">{children}</div>
    </section>
  );
}
