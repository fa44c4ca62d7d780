'use client';
import type { DataSourceName, ViewedRow } from '@anneal/core/protocol/dataView';
import { useQueries } from '@tanstack/react-query';
import Link from 'next/link';
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { useTranslations } from 'use-intl';
import { type RowChoice, windowQuery, windowRows } from '../../agent/dataSet.ts';
import { useHasSocket } from '../../agent/hooks.ts';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { useSettled } from '../recipe/useSettled.ts';
import { isTyping } from './isTyping.ts';
import { useScaledScroll } from './useScaledScroll.ts';
import { VerdictBadge } from './VerdictBadge.tsx';

const columns =
  'grid grid-cols-[minmax(0,1fr)_auto_auto] gap-x-4 px-3 md:grid-cols-[5.5rem_9.5rem_4.5rem_4.5rem_minmax(0,1fr)]';

/** Rows of any number: those in sight are asked for. @param start the place to begin at, counted from 0 */
export function RowList({
  name,
  choice,
  total,
  start,
  linkTo,
}: {
  name: DataSourceName;
  choice: RowChoice;
  total: number;
  start: number;
  linkTo: (row: number) => string;
}) {
  const t = useTranslations('data');
  const view = useRef<HTMLDivElement>(null);
  const rowHeight = useIsNarrow() ? 56 : 34;
  const { position, viewport, height, goTo, onScroll } = useScaledScroll(view, total, rowHeight, start);
  const first = Math.floor(position);
  const count = Math.max(0, Math.min(total - first, Math.ceil(viewport / rowHeight) + 1));
  const { rowAt, error } = useWindow(name, choice, first, count);
  useListKeys({ view, total, position, shown: Math.floor(viewport / rowHeight), goTo });
  return (
    <div role="table" aria-label={t('rows')} aria-rowcount={total + 1} className="flex min-h-0 grow flex-col">
      <div role="rowgroup">
        <div role="row" aria-rowindex={1} className={`${columns} border-line border-b py-1.5 max-md:sr-only`}>
          {(['number', 'verdict', 'tokens', 'trained', 'content'] as const).map((head) => (
            <span
              key={head}
              role="columnheader"
              className={`label ${head === 'tokens' || head === 'trained' ? 'text-right' : ''}`}
            >
              {t(head)}
            </span>
          ))}
        </div>
      </div>
      {error ? (
        <div className="p-3">
          <ErrorNote error={shownError(error)} />
        </div>
      ) : null}
      <div
        ref={view}
        role="rowgroup"
        tabIndex={0}
        onScroll={onScroll}
        className="relative min-h-0 grow overflow-y-auto [overflow-anchor:none]"
      >
        <div style={{ height }} role="presentation">
          <div
            className="sticky top-0 overflow-hidden"
            style={{ height: Math.min(viewport, height) }}
            role="presentation"
          >
            {Array.from({ length: count }, (_, i) => first + i).map((index) => (
              <div
                key={index}
                role="row"
                aria-rowindex={index + 2}
                className={`${columns} absolute inset-x-0 items-center border-line/60 border-b hover:bg-sunken has-focus-visible:bg-sunken`}
                style={{ height: rowHeight, transform: `translateY(${(index - position) * rowHeight}px)` }}
              >
                <Row index={index} row={rowAt(index)} linkTo={linkTo} />
              </div>
            ))}
          </div>
        </div>
      </div>
    </div>
  );
}

const cell = 'figures text-right text-[12.5px]';

/** A row that has not arrived holds its place. */
function Row({ index, row, linkTo }: { index: number; row: ViewedRow | undefined; linkTo: (row: number) => string }) {
  const t = useTranslations('data');
  const format = useFormat();
  if (!row) {
    return (
      // Nothing of it becomes a part of the row that arrives.
      <span key="coming" role="cell" className="col-span-full">
        <span className="block h-2 w-2/5 rounded-full bg-line/70" aria-hidden="true" />
        <span className="sr-only">{t('loading')}</span>
      </span>
    );
  }
  return (
    <>
      <span role="cell" className="figures text-[12.5px] max-md:order-1">
        <Link
          href={linkTo(row.number)}
          data-index={index}
          className="text-muted outline-none after:absolute after:inset-0 focus-visible:text-ink focus-visible:after:outline-2 focus-visible:after:outline-ember focus-visible:after:-outline-offset-2"
        >
          {format.count(row.number)}
        </Link>
      </span>
      <span role="cell" className="min-w-0 max-md:order-2">
        <VerdictBadge verdict={row.verdict} leavesOut={row.leavesOut} />
      </span>
      <span role="cell" className={`${cell} max-md:order-3`}>
        {row.tokens === null ? '–' : format.count(row.tokens)}
      </span>
      <span role="cell" className={`${cell} text-ember max-md:hidden`}>
        {row.targetTokens === null ? '–' : format.count(row.targetTokens)}
      </span>
      <span role="cell" className="truncate text-[13px] max-md:order-4 max-md:col-span-full">
        {row.excerpt.map(({ role, text }, part) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a row do not change places
          <span key={part} className={part > 0 ? 'ml-3' : ''}>
            {role !== null && <span className="mr-1.5 text-[11.5px] text-muted">{role}</span>}
            {text}
          </span>
        ))}
      </span>
    </>
  );
}

/** The rows in sight, as far as they have arrived. While one scrolls fast over many, none are asked for. */
function useWindow(name: DataSourceName, choice: RowChoice, first: number, count: number) {
  const enabled = useHasSocket();
  const firstPage = Math.floor(first / windowRows);
  const lastPage = Math.floor(Math.max(first, first + count - 1) / windowRows);
  const settled = useSettled(firstPage, 80);
  const isNear = Math.abs(firstPage - settled) <= 1;
  const pages = Array.from({ length: lastPage - firstPage + 1 }, (_, i) => firstPage + i);
  const answers = useQueries({
    queries: pages.map((page) => ({ ...windowQuery(name, choice, page), enabled: enabled && isNear && count > 0 })),
  });
  return {
    rowAt: (index: number) => answers[Math.floor(index / windowRows) - firstPage]?.data?.rows[index % windowRows],
    error: answers.find((answer) => answer.error)?.error,
  };
}

interface ListKeys {
  view: React.RefObject<HTMLDivElement | null>;
  total: number;
  position: number;
  /** Whole rows in sight. */
  shown: number;
  goTo: (position: number) => void;
}

/** J and K, arrows, page keys, Home and End go from row to row; Enter opens one, as it does any link. */
function useListKeys({ view, total, position, shown, goTo }: ListKeys): void {
  const wanted = useRef<number>(undefined);
  // The row that is gone to is in the page once it is drawn.
  useEffect(() => {
    if (wanted.current === undefined) return;
    const link = view.current?.querySelector<HTMLElement>(`[data-index="${wanted.current}"]`);
    if (!link) return;
    wanted.current = undefined;
    link.focus({ preventScroll: true });
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const focused = document.activeElement as HTMLElement | null;
      // A row that has not arrived is gone to all the same.
      const isInside = wanted.current !== undefined || (view.current?.contains(focused) ?? false);
      const index = isInside ? focused?.dataset['index'] : undefined;
      const at = wanted.current ?? (index === undefined ? undefined : Number(index));
      const next = nextRow(event.key, {
        at,
        isInside,
        first: Math.ceil(position),
        shown,
        total,
      });
      if (next === undefined || total === 0) return;
      event.preventDefault();
      const row = Math.min(Math.max(0, next), total - 1);
      if (row < position) goTo(row);
      else if (row + 1 > position + shown) goTo(row + 1 - shown);
      const link = view.current?.querySelector<HTMLElement>(`[data-index="${row}"]`);
      if (link && row >= position && row + 1 <= position + shown) link.focus({ preventScroll: true });
      else wanted.current = row;
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  });
}

interface Place {
  /** The row that is focused. */
  at: number | undefined;
  isInside: boolean;
  first: number;
  shown: number;
  total: number;
}

function nextRow(key: string, { at, isInside, first, shown, total }: Place): number | undefined {
  if (key === 'j' || (isInside && key === 'ArrowDown')) return at === undefined ? first : at + 1;
  if (key === 'k' || (isInside && key === 'ArrowUp')) return at === undefined ? first : at - 1;
  if (!isInside) return undefined;
  if (key === 'PageDown') return (at ?? first) + shown;
  if (key === 'PageUp') return (at ?? first) - shown;
  if (key === 'Home') return 0;
  return key === 'End' ? total - 1 : undefined;
}

const narrow = '(max-width: 47.99rem)';

function useIsNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      const query = matchMedia(narrow);
      query.addEventListener('change', listener);
      return () => query.removeEventListener('change', listener);
    },
    () => matchMedia(narrow).matches,
    () => false,
  );
}
