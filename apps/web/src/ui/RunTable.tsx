'use client';
import type { ListedRun } from '@anneal/core/protocol/studio';
import Link from 'next/link';
import type { ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { useProblemText } from '../i18n/problems.tsx';
import { AlertBadge } from './AlertBadge.tsx';
import { useFormat } from './format.ts';
import { Progress } from './Progress.tsx';
import { Sparkline } from './Sparkline.tsx';
import { StateBadge } from './StateBadge.tsx';
import { FamilyRow } from './seeds/FamilyRow.tsx';
import { bySeeds, isFamily } from './seeds/seedFamilies.ts';

const columns = 'lg:grid-cols-[minmax(0,1fr)_7rem_9.5rem_11rem_5rem_5rem_6.5rem_7.5rem]';

/** Runs in rows; on a phone each is a card of a few lines. */
export function RunTable({
  title,
  runs,
  selected,
  onSelect,
}: {
  title: string;
  runs: readonly ListedRun[];
  /** Keys of those that are to be compared. */
  selected: ReadonlySet<string>;
  onSelect: (run: string, isSelected: boolean) => void;
}) {
  const t = useTranslations('runs');
  const compare = useTranslations('compare');
  const item = (run: ListedRun) => (
    <li key={run.key} className="flex transition-colors hover:bg-sunken">
      <label className="flex w-11 shrink-0 items-center justify-center">
        <input
          type="checkbox"
          aria-label={compare('select', { run: run.key })}
          checked={selected.has(run.key)}
          onChange={(event) => onSelect(run.key, event.target.checked)}
          className="size-4 accent-ember"
        />
      </label>
      <Row run={run} />
    </li>
  );
  const heads = ['run', null, 'progress', 'loss', 'validation', 'speed', 'left', 'created'] as const;
  return (
    <section aria-label={title}>
      <div className={`grid items-end gap-x-4 pr-4 pb-1.5 pl-11 ${columns}`}>
        <h2 className="font-medium text-[13px]">{title}</h2>
        {heads.slice(1).map((head, index) => (
          <span key={head ?? index} className={`label max-lg:hidden ${index > 2 ? 'text-right' : ''}`}>
            {head && t(head)}
          </span>
        ))}
      </div>
      <ul className="divide-y divide-line overflow-hidden rounded-lg border border-line bg-surface">
        {bySeeds(runs).map((entry) =>
          isFamily(entry) ? (
            <FamilyRow key={`family ${entry.key}`} family={entry}>
              {entry.runs.map(item)}
            </FamilyRow>
          ) : (
            item(entry)
          ),
        )}
      </ul>
    </section>
  );
}

function Row({ run }: { run: ListedRun }) {
  const t = useTranslations('runs');
  const format = useFormat();
  const active = run.state === 'running' || run.state === 'preparing';
  return (
    <Link
      href={`/run?id=${encodeURIComponent(run.key)}`}
      data-row={run.key}
      className={`grid min-w-0 grow grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-2 py-2.5 pr-4 focus-visible:outline-offset-[-2px] ${columns}`}
    >
      <div className="min-w-0">
        <div className="truncate font-medium" title={run.name}>
          {run.name}
        </div>
        <div className="label truncate">
          {[shortModel(run.baseModel), run.adapter ?? t('full'), run.rl].filter(Boolean).join(' · ')}
        </div>
        {run.tags.length > 0 && (
          <div className="mt-1 flex flex-wrap gap-1 text-[12px] text-muted">
            {run.tags.map((tag) => (
              <span key={tag} className="rounded-full border border-line px-1.5">
                {tag}
              </span>
            ))}
          </div>
        )}
        <Why run={run} />
      </div>
      <div className="max-lg:text-right">
        <span className="inline-flex items-center gap-2">
          <StateBadge run={run} />
          <AlertBadge alerts={run.alerts} />
        </span>
      </div>
      <div className="max-lg:col-span-2">
        <div className="figures mb-1 text-[12.5px]">
          {run.totalSteps === null
            ? '–'
            : t('ofSteps', { step: format.count(run.step), total: format.count(run.totalSteps) })}
        </div>
        <Progress step={run.step} total={run.totalSteps} active={active} />
      </div>
      <div className="col-span-2 flex flex-wrap items-center gap-x-6 gap-y-1 lg:contents">
        <div className="flex items-center gap-3">
          <Sparkline values={run.outline} />
          <Cell name={t('loss')}>{format.number(run.loss)}</Cell>
        </div>
        <Cell name={t('validation')} right>
          {format.number(run.lowestEvaluationLoss)}
        </Cell>
        <Cell name={t('speed')} right>
          {run.tokensPerSecond === null ? '–' : format.count(run.tokensPerSecond)}
        </Cell>
        <Cell name={t('left')} right>
          {active ? format.range(run.remaining) : '–'}
        </Cell>
        <Cell name={t('created')} right>
          {format.time(run.created)}
        </Cell>
      </div>
    </Link>
  );
}

/** What keeps the run from beginning, or has ended it; the page of the run says what to do. */
function Why({ run: { state, refusal, error } }: { run: ListedRun }) {
  const problemText = useProblemText();
  const problem = refusal ?? (state === 'failed' || state === 'damaged' ? error : null);
  if (!problem) return null;
  const { what } = problemText(problem);
  return (
    <div className="truncate text-[12.5px] text-bad" title={what}>
      {what}
    </div>
  );
}

function Cell({ name, right = false, children }: { name: string; right?: boolean; children: ReactNode }) {
  return (
    <div
      className={`figures whitespace-nowrap text-[13px] ${right ? 'lg:text-right' : ''} ${children === '–' ? 'max-lg:hidden' : ''}`}
    >
      <span className="label mr-1.5 lg:hidden">{name}</span>
      {children}
    </div>
  );
}

/** Of a path the last part: the folder of a model is its name. */
function shortModel(name: string | null): string {
  return name?.split('/').filter(Boolean).at(-1) ?? '–';
}
