'use client';
import type { DataOverview, DataSourceName, JudgingState, SearchState } from '@anneal/core/protocol/dataView';
import { ROW_FILTERS, type RowFilter } from '@anneal/core/protocol/rowVerdicts';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import dynamic from 'next/dynamic';
import { usePathname, useRouter, useSearchParams } from 'next/navigation';
import { parseAsInteger, parseAsString, parseAsStringLiteral, useQueryState } from 'nuqs';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslations } from 'use-intl';
import { findRow, type RowChoice, useDataState, windowQuery } from '../../agent/dataSet.ts';
import { fetchPart } from '../../agent/fetchPart.ts';
import { useHasSocket } from '../../agent/hooks.ts';
import { agentPath } from '../../agent/paths.ts';
import { Button, buttonClass } from '../Button.tsx';
import { Empty } from '../Empty.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { useSettled } from '../recipe/useSettled.ts';
import { SearchField } from '../SearchField.tsx';
import { Filters } from './Filters.tsx';
import { isTyping } from './isTyping.ts';
import { JudgingNote } from './JudgingNote.tsx';
import { Lengths } from './Lengths.tsx';
import { RowList } from './RowList.tsx';

const loadRowView = () => fetchPart(() => import('./RowView.tsx'));
const RowView = dynamic(async () => (await loadRowView()).RowView, { ssr: false });

// Of data without a recipe alone, and of rows that are all judged.
const Mapping = dynamic(async () => (await fetchPart(() => import('./Mapping.tsx'))).Mapping, { ssr: false });
const Report = dynamic(async () => (await fetchPart(() => import('./Report.tsx'))).Report, { ssr: false });

/** A data set while it is opened, and then its rows. */
export function DataSet({ name }: { name: DataSourceName }) {
  const t = useTranslations('data');
  const format = useFormat();
  const { state, error, again } = useDataState(name);
  const mapping = name.recipe === null && <Mapping name={name} isUnreadable={codeOf(error) === 'format_unknown'} />;
  if (error) {
    return (
      <div className="grid gap-3">
        {mapping}
        <ErrorNote error={shownError(error)} />
        <Button className="justify-self-start" onClick={again}>
          {t('again')}
        </Button>
      </div>
    );
  }
  if (state?.phase !== 'open') {
    return (
      <p className="text-muted [overflow-wrap:anywhere]" role="status">
        {state
          ? t('opening', { file: state.file, number: format.count(state.number), of: format.count(state.of) })
          : `${t('loading')}…`}
      </p>
    );
  }
  return (
    <div className="grid gap-4">
      {mapping}
      <Opened name={name} overview={state.overview} judging={state.judging} searches={state.searches} />
    </div>
  );
}

const codeOf = (error: unknown): string | undefined => shownError(error).code;

interface OpenedProps {
  name: DataSourceName;
  overview: DataOverview;
  judging: JudgingState;
  searches: readonly SearchState[];
}

function Opened({ name, overview, judging, searches }: OpenedProps) {
  const [filter, setFilter] = useQueryState('verdict', parseAsStringLiteral(ROW_FILTERS).withDefault('all'));
  const [row, setRow] = useQueryState('row', parseAsInteger.withOptions({ history: 'push' }));
  const router = useRouter();
  const linkTo = useLink();
  const [search, setSearch] = useQueryState('q', parseAsString);
  const choice = useMemo<RowChoice>(() => ({ filter, search }), [filter, search]);
  // Where the list was when a row was opened, for the way back.
  const place = useRef({ choice, index: 0 });
  useFreshRows(name, judging, searches);
  // Before a row is opened: its keys are heard at once.
  useEffect(() => void loadRowView().catch(() => undefined), []);
  const back = useCallback(() => router.push(linkTo(null), { scroll: false }), [router, linkTo]);
  const onRow = useCallback((next: number) => void setRow(next), [setRow]);
  if (row !== null) {
    if (filter === 'all' && search === null) place.current = { choice, index: row - 1 };
    return (
      <RowView
        name={name}
        overview={overview}
        judging={judging}
        choice={choice}
        row={row}
        backTo={linkTo(null)}
        onRow={onRow}
        onBack={back}
      />
    );
  }
  return (
    <Rows
      name={name}
      overview={overview}
      judging={judging}
      searches={searches}
      choice={choice}
      onFilter={(next) => void setFilter(next)}
      onSearch={(next) => void setSearch(next)}
      start={place.current.choice === choice ? place.current.index : 0}
      linkTo={linkTo}
      onRow={onRow}
    />
  );
}

interface RowsProps extends OpenedProps {
  choice: RowChoice;
  onFilter: (filter: RowFilter) => void;
  onSearch: (search: string | null) => void;
  start: number;
  linkTo: (row: number) => string;
  onRow: (row: number) => void;
}

function Rows({ name, overview, judging, searches, choice, onFilter, onSearch, start, linkTo, onRow }: RowsProps) {
  const { filter } = choice;
  const t = useTranslations('data');
  const rowTexts = useTranslations('dataRow');
  const format = useFormat();
  const [said, setSaid] = useState('');
  const total = useTotal(name, choice, overview);
  const searching = searches.find(({ text }) => text === choice.search);
  useEffect(() => {
    const onKeyDown = async (event: KeyboardEvent) => {
      if (event.key !== 'n' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const found = await findRow(name, { filter: 'problem', search: null }, 0, 'forward');
      if (found !== null) onRow(found);
      else setSaid(rowTexts(judging.state === 'done' ? 'noProblem' : 'noProblemYet'));
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, [name, onRow, judging.state, rowTexts]);
  return (
    <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_20rem]">
      <div className="grid min-w-0 gap-3">
        <div className="flex flex-wrap items-start gap-x-4 gap-y-2">
          <SearchRows search={choice.search} onSearch={onSearch} />
          <Filters rows={overview.rows} judging={judging} filter={filter} onFilter={onFilter} />
          {!isAll(choice) && (total ?? 0) > 0 && (
            <a
              href={downloadOf(name, choice)}
              download
              className={`${buttonClass()} ml-auto h-7! px-2.5! text-[12.5px]!`}
            >
              <Download className="size-3.5" aria-hidden="true" />
              {t('download')}
            </a>
          )}
        </div>
        {searching && (
          <p role="status" className="figures text-[12.5px] text-muted">
            {t(searching.isDone ? 'searched' : 'searching', {
              found: format.count(searching.found),
              looked: format.count(searching.looked),
              rows: format.count(overview.rows),
            })}
          </p>
        )}
        {total === 0 ? (
          <Empty
            title={
              judging.state === 'done' || filter === 'all'
                ? t('noMatch')
                : t('noMatchYet', { judged: format.count(judging.judged), rows: format.count(overview.rows) })
            }
          />
        ) : total === undefined ? (
          <p className="text-muted">{t('loading')}…</p>
        ) : (
          <div className="flex max-h-[max(20rem,calc(100dvh-17rem))] flex-col overflow-hidden rounded-lg border border-line bg-surface">
            <RowList
              key={`${filter} ${choice.search}`}
              name={name}
              choice={choice}
              total={total}
              start={start}
              linkTo={linkTo}
            />
          </div>
        )}
        {/* Below the rows, which stay where they are when it goes. */}
        <JudgingNote name={name} rows={overview.rows} judging={judging} />
        <p className="text-[12px] text-muted max-md:hidden">
          {t('keys')}{' '}
          <span role="status" className="text-ink">
            {said}
          </span>
        </p>
      </div>
      <div className="grid gap-4">
        <Lengths name={name} overview={overview} judging={judging} />
        <Files overview={overview} />
        {judging.state === 'done' && <Report name={name} />}
      </div>
    </div>
  );
}

function Files({ overview }: { overview: DataOverview }) {
  const t = useTranslations('data');
  const format = useFormat();
  return (
    <section aria-label={t('files')} className="rounded-lg border border-line bg-surface p-4 text-[13px]">
      <h2 className="font-medium">{t('filesCount', { count: overview.files.length })}</h2>
      <ul tabIndex={0} aria-label={t('files')} className="mt-2 grid max-h-72 gap-2.5 overflow-y-auto">
        {overview.files.map((file) => (
          <li key={file.path} className="[overflow-wrap:anywhere]">
            <span className="font-mono text-[12.5px]" title={file.path}>
              {file.path.split('/').at(-1)}
            </span>
            <span className="figures block text-[12.5px] text-muted">
              {[
                t('rowsCount', { count: file.rows }),
                format.bytes(file.bytes),
                t('readAs', { format: file.format }),
                ...(file.isValidation ? [t('validation')] : []),
              ].join(' · ')}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

const isAll = ({ filter, search }: RowChoice): boolean => filter === 'all' && search === null;

/** How many rows are chosen, as far as that is known; the first of them say it. */
function useTotal(name: DataSourceName, choice: RowChoice, overview: DataOverview): number | undefined {
  const enabled = useHasSocket();
  const { data } = useQuery({ ...windowQuery(name, choice, 0), enabled: enabled && !isAll(choice) });
  return isAll(choice) ? overview.rows : data?.total;
}

/** What is written is searched for once it rests. */
function SearchRows({ search, onSearch }: { search: string | null; onSearch: (search: string | null) => void }) {
  const t = useTranslations('data');
  const [text, setText] = useState(search ?? '');
  const settled = useSettled(text.trim(), 350);
  const known = useRef(search ?? '');
  useEffect(() => {
    if (settled === known.current) return;
    known.current = settled;
    onSearch(settled === '' ? null : settled.slice(0, 200));
  }, [settled, onSearch]);
  return <SearchField value={text} onChange={setText} label={t('search')} />;
}

/** What was found out meanwhile is asked for again, without what is shown going away. */
function useFreshRows(name: DataSourceName, judging: JudgingState, searches: readonly SearchState[]): void {
  const queries = useQueryClient();
  const { judged, state } = judging;
  const found = searches.map(({ text, found: rows, isDone }) => `${text} ${rows} ${isDone}`).join('\n');
  useEffect(() => {
    if (found === '') return;
    void queries.invalidateQueries({
      queryKey: ['data', name, 'rows'],
      predicate: ({ queryKey }) => queryKey[4] !== null,
    });
  }, [queries, name, found]);
  useEffect(() => {
    if (judged === 0) return;
    void queries.invalidateQueries({
      queryKey: ['data', name, 'rows'],
      predicate: ({ queryKey }) => state !== 'working' || queryKey[3] !== 'all',
    });
  }, [queries, name, judged, state]);
}

/** The address of a row, or of the list, which is as the rest of the address says. */
function useLink(): (row: number | null) => string {
  const path = usePathname();
  const search = useSearchParams().toString();
  return useCallback(
    (row) => {
      const next = new URLSearchParams(search);
      for (const name of ['row', 'token']) next.delete(name);
      if (row !== null) next.set('row', String(row));
      return `${path}?${next}`;
    },
    [path, search],
  );
}

function downloadOf({ recipe, file, hub, model, mapping }: DataSourceName, { filter, search }: RowChoice): string {
  const given = Object.entries({ recipe, file, hub, model, mapping, filter, search }).filter(
    ([, value]) => value !== null,
  ) as [string, string][];
  return agentPath(`/api/data/rows?${new URLSearchParams(given)}`);
}
