'use client';
/** The way of somebody new, from rows to a model of their own: where they are, and what comes next. */
import type { ListedRun } from '@anneal/core/protocol/studio';
import { Check, ChevronRight, X } from 'lucide-react';
import Link from 'next/link';
import { usePathname } from 'next/navigation';
import { parseAsString, useQueryState } from 'nuqs';
import { useEffect, useLayoutEffect } from 'react';
import { useTranslations } from 'use-intl';
import { chatWith, isChattable } from '../../agent/chatWith.ts';
import { type FirstStep, firstSteps, rememberWay, stepOfPage, tellSettled } from '../../agent/firstSteps.ts';
import { useRunList } from '../../agent/hooks.ts';
import { IconButton } from '../Button.tsx';

/** @param reached null until it is known whether somebody is new here: without a run */
export function OpenSteps({ reached }: { reached: number | null }) {
  const t = useTranslations('firstSteps');
  const runs = useRunList(tellSettled);
  const [tab] = useQueryState('tab', parseAsString);
  const here = stepOfPage(usePathname(), tab);
  const at = here === undefined ? -1 : firstSteps.indexOf(here);
  useEffect(() => {
    if (reached === null) {
      if (runs) rememberWay(runs.length === 0 ? 0 : 'closed');
    } else if (at === reached) rememberWay(at + 1);
  }, [reached, runs, at]);
  useLayoutEffect(() => {
    if (reached !== null) tellSettled();
  }, [reached]);
  if (reached === null) return null;
  const next = here ?? firstSteps[Math.min(reached, firstSteps.length - 1)] ?? 'data';
  return (
    <section aria-label={t('title')} className="border-line border-b bg-surface">
      <div className="mx-auto flex max-w-[1400px] items-start gap-3 px-4 py-2 sm:px-6">
        <div className="grid min-w-0 grow gap-x-5 gap-y-1 text-[13px] lg:flex lg:items-center">
          <ol className="-ml-1 flex min-w-0 flex-wrap items-center gap-x-1 gap-y-1">
            {firstSteps.map((step, index) => (
              <li key={step} className="flex items-center gap-1">
                {index > 0 && <ChevronRight className="size-3.5 text-faint" aria-hidden="true" />}
                <Step step={step} href={hrefOf(step, runs ?? [])} state={stateOf(index, at, reached)} />
              </li>
            ))}
          </ol>
          <p className="min-w-0 text-muted">{t(`hint.${next}`)}</p>
        </div>
        <IconButton label={t('close')} className="-my-0.5 size-7 shrink-0" onClick={() => rememberWay('closed')}>
          <X className="size-4" />
        </IconButton>
      </div>
    </section>
  );
}

type State = 'here' | 'done' | 'next' | 'later';

function stateOf(index: number, at: number, reached: number): State {
  if (index === at) return 'here';
  if (index < reached) return 'done';
  return at < 0 && index === reached ? 'next' : 'later';
}

function Step({ step, href, state }: { step: FirstStep; href: string | null; state: State }) {
  const t = useTranslations('firstSteps');
  const look = state === 'here' || state === 'next' ? 'font-medium text-ink' : 'text-muted';
  const text = (
    <>
      {state === 'done' && <Check className="size-3.5 text-good" aria-hidden="true" />}
      {t(step)}
      {state === 'done' && <span className="sr-only"> ({t('done')})</span>}
    </>
  );
  const shape = `inline-flex items-center gap-1 whitespace-nowrap rounded px-1 py-0.5 ${look}`;
  if (href === null) return <span className={shape}>{text}</span>;
  return (
    <Link
      href={href}
      aria-current={state === 'here' ? 'step' : undefined}
      className={`${shape} hover:bg-sunken aria-[current]:bg-sunken ${state === 'next' ? 'underline underline-offset-3' : ''}`}
    >
      {text}
    </Link>
  );
}

/** Null for what needs a run first, or a checkpoint of one. */
function hrefOf(step: FirstStep, runs: readonly ListedRun[]): string | null {
  if (step === 'data') return '/data';
  if (step === 'recipe') return '/recipes';
  const run = step === 'train' ? runs[0] : runs.find(isChattable);
  if (!run) return null;
  const key = encodeURIComponent(run.key);
  if (step === 'train') return `/run?id=${key}`;
  if (step === 'export') return `/run?id=${key}&tab=exports#details`;
  return chatWith(run);
}
