'use client';
import type { AuditEntry } from '@anneal/core/protocol/people';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useConnection, useHasSocket } from '../../agent/hooks.ts';
import { audit as en } from '../../i18n/en/audit.ts';
import { type Locale, useLocale } from '../../i18n/locale.tsx';
import { useProblemText } from '../../i18n/problems.tsx';
import { audit as zhCN } from '../../i18n/zhCN/audit.ts';
import { Button } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { Card, fieldClass } from './Card.tsx';

const texts: Readonly<Record<Locale, typeof en>> = { en, 'zh-CN': zhCN };

/** Who did what, newest first. */
export function AuditLog() {
  const t = useTranslations('access');
  const format = useFormat();
  const enabled = useHasSocket();
  const isAway = useConnection() !== 'open';
  const [filter, setFilter] = useState('');
  const pages = useInfiniteQuery({
    queryKey: ['audit'],
    queryFn: ({ pageParam }) => agent().audit.page.query(pageParam === null ? {} : { before: pageParam }),
    initialPageParam: null as number | null,
    getNextPageParam: ({ before }) => before,
    enabled,
  });
  const entries = pages.data?.pages.flatMap((page) => page.entries) ?? [];
  const wanted = filter.trim().toLowerCase();
  const whoIn = ({ name, action }: AuditEntry) => name ?? t(action.startsWith('anneal ') ? 'commandLine' : 'nobody');
  const { actionIn, outcomeIn } = useAuditTexts();
  const shown = entries.filter((entry) =>
    [whoIn(entry), entry.action, actionIn(entry), entry.input, entry.outcome, outcomeIn(entry)].some((text) =>
      text.toLowerCase().includes(wanted),
    ),
  );
  return (
    <Card title={t('audit')} text={t('auditText')} isComing={pages.isPending}>
      {pages.error && <ErrorNote error={shownError(pages.error)} />}
      <div className="flex flex-wrap gap-2">
        <label className="min-w-0 grow sm:max-w-72">
          <span className="sr-only">{t('auditFilter')}</span>
          <input
            type="search"
            value={filter}
            onChange={(event) => setFilter(event.target.value)}
            placeholder={t('auditFilter')}
            className={`${fieldClass} w-full`}
          />
        </label>
        <Button disabled={isAway || pages.isFetching} onClick={() => void pages.refetch()}>
          {t('auditRefresh')}
        </Button>
      </div>
      {/* A region of its own that scrolls: the keyboard has to reach it. */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls */}
      <section aria-label={t('audit')} tabIndex={0} className="mt-3 max-h-96 overflow-y-auto">
        <ul className="divide-y divide-line text-[12.5px]">
          {shown.map((entry, index) => (
            <li
              // biome-ignore lint/suspicious/noArrayIndexKey: lines of a file that is only appended to
              key={`${entry.time} ${index}`}
              className="grid gap-x-3 py-1 sm:grid-cols-[7.5rem_9rem_10rem_minmax(0,1fr)_auto]"
            >
              <span className="figures text-muted">{format.time(entry.time)}</span>
              <span className="truncate font-medium">{whoIn(entry)}</span>
              <span className="truncate" title={`${actionIn(entry)} (${entry.action})`}>
                {actionIn(entry)}
              </span>
              <span className="truncate font-mono text-[12px] text-muted" title={entry.input}>
                {entry.input}
              </span>
              <span className={entry.outcome === 'done' ? 'text-muted' : 'text-warn'} title={entry.outcome}>
                {outcomeIn(entry)}
              </span>
            </li>
          ))}
        </ul>
      </section>
      {pages.hasNextPage && (
        <Button className="mt-3" disabled={isAway || pages.isFetching} onClick={() => void pages.fetchNextPage()}>
          {t('auditEarlier')}
        </Button>
      )}
    </Card>
  );
}

/** What the agent calls by names and codes, in words; those that an older or newer agent has written stay as they are. */
function useAuditTexts() {
  const { action, other, outcome } = texts[useLocale()].audit;
  const problemText = useProblemText();
  const named: Readonly<Record<string, Readonly<Record<string, string>> | undefined>> = action;
  const others: Readonly<Record<string, string>> = other;
  const outcomes: Readonly<Record<string, string>> = outcome;
  return {
    actionIn: (entry: AuditEntry): string => {
      const [noun = '', verb = ''] = entry.action.split('.');
      return others[entry.action] ?? named[noun]?.[verb] ?? entry.action;
    },
    outcomeIn: ({ outcome: code }: AuditEntry): string => outcomes[code] ?? problemText({ code, what: code }).what,
  };
}
