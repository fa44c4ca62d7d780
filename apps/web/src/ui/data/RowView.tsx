'use client';
import type { DataOverview, DataSourceName, JudgingState } from '@anneal/core/protocol/dataView';
import { useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { ChevronDown, ChevronLeft, ChevronUp, SkipForward } from 'lucide-react';
import dynamic from 'next/dynamic';
import Link from 'next/link';
import { parseAsBoolean, parseAsInteger, parseAsStringLiteral, useQueryState } from 'nuqs';
import { useCallback, useEffect, useState } from 'react';
import { useTranslations } from 'use-intl';
import { rowForms as forms } from '../../agent/addressValues.ts';
import { type Answer, answers, findRow, partsOf, partTokens, type RowChoice, rowQuery } from '../../agent/dataSet.ts';
import { fetchPart } from '../../agent/fetchPart.ts';
import { useHasSocket } from '../../agent/hooks.ts';
import { Button, IconButton } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { Segmented } from '../Segmented.tsx';
import { isTyping } from './isTyping.ts';
import { OtherReading, useOtherText } from './OtherReading.tsx';
import { EditRow, Notes, Raw } from './RowNotes.tsx';
import { Legend, More, Tokens } from './Tokens.tsx';
import { VerdictBadge, verdictOf } from './VerdictBadge.tsx';

// Of rows that are shown as another template reads them alone.
const SideBySide = dynamic(async () => (await fetchPart(() => import('./SideBySide.tsx'))).SideBySide, { ssr: false });

const problems: RowChoice = { filter: 'problem', search: null };
interface RowViewProps {
  name: DataSourceName;
  overview: DataOverview;
  judging: JudgingState;
  choice: RowChoice;
  row: number;
  backTo: string;
  onRow: (row: number) => void;
  onBack: () => void;
}

/** One row, token by token. */
export function RowView({ name, overview, judging, choice, row, backTo, onRow, onBack }: RowViewProps) {
  const t = useTranslations('dataRow');
  const format = useFormat();
  const queries = useQueryClient();
  const enabled = useHasSocket();
  const other = useOtherText();
  const [form, setForm] = useQueryState('show', parseAsStringLiteral(forms).withDefault('text'));
  const [showsSpace, setShowsSpace] = useQueryState('space', parseAsBoolean.withDefault(false));
  const [chosen, setChosen] = useQueryState('token', parseAsInteger);
  const [pointed, setPointed] = useState<number | null>(null);
  const [said, setSaid] = useState('');
  // A long row comes in parts, as many as are asked for.
  const [more, setMore] = useState({ row, parts: 1 });
  const parts = more.row === row ? more.parts : 1;
  const [wantedAnswer, setAnswer] = useQueryState('answer', parseAsStringLiteral(answers).withDefault('chosen'));
  const { data: whole } = useQuery({ ...rowQuery(name, row, 0), enabled });
  // On the way from pair to pair there may be rows of another kind.
  const answer = whole?.rejected ? wantedAnswer : 'chosen';
  const { parts: shown, error } = useQueries({
    queries: Array.from({ length: parts }, (_, part) => ({
      ...rowQuery(name, row, part * partTokens, answer),
      enabled,
    })),
    combine: partsOf,
  });
  const isWhole = shown.length === parts;
  const onMore = isWhole ? () => setMore({ row, parts: parts + 1 }) : null;

  const step = useCallback(
    async (wanted: RowChoice, direction: 'forward' | 'backward') => {
      const found = await findRow(name, wanted, row, direction);
      if (found !== null) {
        setSaid('');
        onRow(found);
      } else if (wanted !== problems) setSaid(t('noNext'));
      else setSaid(t(judging.state === 'done' ? 'noProblem' : 'noProblemYet'));
    },
    [name, row, onRow, t, judging.state],
  );
  const tokenCount = shown.reduce((sum, { tokens }) => sum + (tokens?.length ?? 0), 0);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const isListed =
        document.activeElement?.getAttribute('role') === 'listbox' || document.activeElement === document.body;
      if (event.key === 'j') void step(choice, 'forward');
      else if (event.key === 'k') void step(choice, 'backward');
      else if (event.key === 'n') void step(problems, 'forward');
      else if (event.key === 'N') void step(problems, 'backward');
      else if (event.key === 'Escape' && !event.defaultPrevented) onBack();
      else if (isListed && form !== 'raw' && event.key === 'ArrowRight' && tokenCount > 0)
        void setChosen(Math.min(tokenCount - 1, (chosen ?? -1) + 1));
      else if (isListed && form !== 'raw' && event.key === 'ArrowLeft' && tokenCount > 0)
        void setChosen(Math.max(0, (chosen ?? 1) - 1));
      else return;
      event.preventDefault();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  });
  // What comes next is there when it is asked for.
  useEffect(() => {
    if (!isWhole || choice.filter !== 'all' || choice.search !== null) return;
    if (row < overview.rows) void queries.prefetchQuery(rowQuery(name, row + 1, 0));
  }, [isWhole, choice, row, overview.rows, queries, name]);

  const first = shown[0];
  return (
    <article className="grid gap-4">
      <header className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <Link href={backTo} className="-ml-1 inline-flex items-center gap-0.5 text-[13px] text-muted hover:text-ink">
          <ChevronLeft className="size-4" aria-hidden="true" />
          {t('back')}
        </Link>
        <h2 className="figures font-semibold text-[17px] tracking-[-0.01em]">
          {t('title', { number: format.count(row) })}{' '}
          <span className="font-normal text-[13px] text-muted">{t('of', { rows: format.count(overview.rows) })}</span>
        </h2>
        {first && <VerdictBadge verdict={verdictOf(first)} leavesOut={first.leftOut.length > 0} />}
        <div className="ml-auto flex items-center gap-1">
          <span role="status" className="mr-2 text-[12.5px] text-muted">
            {said}
          </span>
          <IconButton label={t('previous')} onClick={() => void step(choice, 'backward')}>
            <ChevronUp className="size-4" />
          </IconButton>
          <IconButton label={t('next')} onClick={() => void step(choice, 'forward')}>
            <ChevronDown className="size-4" />
          </IconButton>
          <NextProblem onClick={() => void step(problems, 'forward')} />
          {first && <EditRow key={row} row={first} />}
        </div>
      </header>
      {error ? <ErrorNote error={shownError(error)} /> : null}
      {first && (
        <>
          <Notes row={first} answer={answer} />
          <div className="flex flex-wrap items-center gap-x-5 gap-y-2">
            {first.rejected && (
              <Segmented
                label={t('answer')}
                value={answer}
                onChange={(value) => {
                  void setAnswer(value as Answer);
                  void setChosen(null);
                }}
                options={answers.map((value) => ({ value, name: t(`answers.${value}`) }))}
              />
            )}
            {first.tokens !== null && (
              <Segmented
                label={t('show')}
                value={form}
                onChange={(value) => void setForm(value as (typeof forms)[number])}
                options={forms.map((value) => ({ value, name: t(value) }))}
              />
            )}
            {form === 'text' && first.tokens !== null && (
              <label className="flex items-center gap-1.5 text-[13px]">
                <input
                  type="checkbox"
                  checked={showsSpace}
                  onChange={(event) => void setShowsSpace(event.target.checked || null)}
                  className="accent-(--ember)"
                />
                {t('whiteSpace')}
              </label>
            )}
            {form !== 'raw' && first.tokens !== null && <Legend differs={other !== null} />}
            <span className="ml-auto text-[12px] text-muted max-lg:hidden">{t('keys')}</span>
          </div>
          {form !== 'raw' && <OtherReading />}
          {form === 'raw' || (first.tokens === null && other === null) ? (
            <Raw row={first} isAsked={form === 'raw'} />
          ) : other !== null ? (
            <SideBySide
              key={JSON.stringify([row, answer, other])}
              name={name}
              row={row}
              answer={answer}
              parts={shown}
              other={other}
              form={form}
              showsSpace={showsSpace}
              chosen={chosen}
              onChoose={(token) => void setChosen(token)}
              onMore={onMore}
            />
          ) : (
            <Tokens
              parts={shown}
              form={form}
              showsSpace={showsSpace}
              chosen={chosen}
              pointed={pointed}
              onPoint={setPointed}
              onChoose={(token) => void setChosen(token)}
            />
          )}
          {form !== 'raw' && other === null && <More readings={[shown]} onMore={onMore} />}
        </>
      )}
    </article>
  );
}

function NextProblem({ onClick }: { onClick: () => void }) {
  const t = useTranslations('data');
  return (
    <Button onClick={onClick}>
      <SkipForward className="size-3.5" aria-hidden="true" />
      {t('nextProblem')}
    </Button>
  );
}
