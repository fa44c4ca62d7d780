'use client';
import type { RunEvent } from '@anneal/core/protocol/events';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import type { LiveRun } from '../../agent/liveRun.ts';
import { useStore } from '../../agent/useLiveRun.ts';
import { type ShownProblem, useProblemText } from '../../i18n/problems.tsx';
import { AgentWords } from '../AgentWords.tsx';
import { type Format, useFormat } from '../format.ts';
import { SearchField } from '../SearchField.tsx';

const colors: Partial<Record<RunEvent['type'], string>> = {
  failed: 'bg-bad',
  warning: 'bg-warn',
  resumed: 'bg-warn',
  checkpoint: 'bg-good',
  finished: 'bg-good',
  evaluated: 'bg-teal',
};

/** What happened and why, newest first. */
export function Events({ live }: { live: LiveRun }) {
  const t = useTranslations();
  const format = useFormat();
  const problemText = useProblemText();
  const [search, setSearch] = useState('');
  const happenings = useStore(live.happenings) ?? [];
  const rows = happenings
    .map((event) => ({ event, ...told(event, problemText, t, format) }))
    .filter(({ text, problem }) =>
      [text, problem?.next, problem?.said].join(' ').toLowerCase().includes(search.trim().toLowerCase()),
    )
    .toReversed();
  return (
    <div>
      <div className="border-line border-b px-4 py-2">
        <SearchField value={search} onChange={setSearch} label={t('run.search')} />
      </div>
      <ol className="max-h-[28rem] divide-y divide-line overflow-y-auto" tabIndex={0} aria-label={t('run.events')}>
        {rows.map(({ event, text, problem, where }) => (
          <li
            key={event.seq}
            data-seq={event.seq}
            className="grid grid-cols-[3.5rem_0.5rem_minmax(0,1fr)] items-baseline gap-x-3 px-4 py-1.5 text-[13px]"
          >
            <time dateTime={event.time} className="figures text-muted">
              {format.time(event.time)}
            </time>
            <span
              className={`size-1.5 -translate-y-px rounded-full ${colors[event.type] ?? 'bg-faint'}`}
              aria-hidden="true"
            />
            <div className="[overflow-wrap:anywhere]">
              {text}
              {problem && (
                <div className="text-[12.5px] text-muted">
                  {where && <div className="font-mono text-[12px]">{where}</div>}
                  {problem.next}
                  <AgentWords said={problem.said} />
                </div>
              )}
            </div>
          </li>
        ))}
      </ol>
      {happenings.length >= 1000 && (
        <p className="border-line border-t px-4 py-2 text-[12px] text-muted">
          {t('run.earlierEvents', { count: '1000' })}
        </p>
      )}
    </div>
  );
}

type Translate = ReturnType<typeof useTranslations<never>>;

interface Told {
  text: string;
  /** Of a warning or an error. */
  problem?: ShownProblem;
  where?: string | undefined;
}

function told(event: RunEvent, problemText: ReturnType<typeof useProblemText>, t: Translate, format: Format): Told {
  if (event.type !== 'warning' && event.type !== 'failed') return { text: textOf(event, t, format) };
  const given = event.type === 'failed' ? event.error : { ...event, what: event.message };
  const problem = problemText(given);
  return { text: problem.what, problem, where: given.where };
}

function textOf(event: Exclude<RunEvent, { type: 'warning' | 'failed' }>, t: Translate, format: Format): string {
  switch (event.type) {
    case 'data_prepared':
      return t('event.data_prepared', {
        rows: format.count(event.rows),
        tokens: format.count(event.tokens),
        dropped: format.count(event.dropped),
        truncated: format.count(event.truncated),
      });
    case 'planned':
      return t('event.planned', { total: format.bytes(event.memory['total'] ?? 0) });
    case 'initializing':
      return t('event.initializing', { linears: format.count(event.linears), of: format.count(event.of) });
    case 'started':
      return t('event.started', { steps: format.count(event.totalSteps) });
    case 'resumed':
      return t('event.resumed', { step: format.count(event.fromStep) });
    case 'evaluated':
      return t('event.evaluated', { loss: format.number(event.loss), step: format.count(event.step) });
    case 'sample':
      return t('event.sample', { step: format.count(event.step) });
    case 'checkpoint':
      return t('event.checkpoint', { path: event.path, why: event.why ?? 'unknown' });
    case 'early_stopped':
      return t('event.early_stopped', { step: format.count(event.bestStep) });
    case 'stopped':
      return t('event.stopped', { step: format.count(event.step), why: event.why ?? 'unknown' });
    case 'finished':
      return t('event.finished', { step: format.count(event.step) });
    case 'recipe_changed':
      return t('event.recipe_changed', {
        changes: event.changes.map(({ key, to }) => `${key}: ${JSON.stringify(to)}`).join(', '),
      });
    case 'run_created':
      return t('event.run_created');
    case 'step':
      return format.number(event.loss);
  }
}
