'use client';
import type { DataOverview, DataRow, DataSourceName, JudgingState } from '@anneal/core/protocol/dataView';
import { useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { ChevronDown, ChevronLeft, ChevronUp, SkipForward } from 'lucide-react';
import Link from 'next/link';
import { parseAsBoolean, parseAsInteger, parseAsStringLiteral, useQueryState } from 'nuqs';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useTranslations } from 'use-intl';
import { type Answer, answers, findRow, type RowChoice, rowQuery } from '../../agent/dataSet.ts';
import { useAbout, useHasSocket } from '../../agent/hooks.ts';
import { Button, IconButton } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { Segmented } from '../Segmented.tsx';
import { isTyping } from './isTyping.ts';
import { RowEditor } from './RowEditor.tsx';
import { tokenBlocks } from './shownTokens.ts';
import { TokenDetail } from './TokenDetail.tsx';
import { TokenText } from './TokenText.tsx';
import { VerdictBadge } from './VerdictBadge.tsx';

const forms = ['text', 'tokens', 'ids', 'raw'] as const;
const problems: RowChoice = { filter: 'problem', search: null };
/** As many as one answer has. */
const partTokens = 2000;

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
  const asked = useQueries({
    queries: Array.from({ length: parts }, (_, part) => ({
      ...rowQuery(name, row, part * partTokens, answer),
      enabled,
    })),
  });
  const shown = asked.flatMap(({ data }) => (data ? [data] : []));
  const error = asked.find((part) => part.error)?.error;
  const isWhole = shown.length === parts;

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
            {form !== 'raw' && first.tokens !== null && <Legend />}
            <span className="ml-auto text-[12px] text-muted max-lg:hidden">{t('keys')}</span>
          </div>
          {form === 'raw' || first.tokens === null ? (
            <Raw row={first} isAsked={form === 'raw'} />
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
          {form !== 'raw' && shown.at(-1)?.isLast === false && isWhole && (
            <Button className="justify-self-start" onClick={() => setMore({ row, parts: parts + 1 })}>
              {t('more', { count: format.count(partTokens) })}
            </Button>
          )}
        </>
      )}
    </article>
  );
}

/** Of a file that lies in the folder that is served. */
function EditRow({ row: { source } }: { row: DataRow }) {
  const workspace = useAbout()?.workspace;
  const key = shortPath(source.file, workspace);
  return key === source.file ? null : <RowEditor file={key} row={source.row} />;
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

function Tokens({
  parts,
  pointed,
  ...rest
}: {
  parts: readonly DataRow[];
  form: 'text' | 'tokens' | 'ids';
  showsSpace: boolean;
  chosen: number | null;
  pointed: number | null;
  onPoint: (token: number | null) => void;
  onChoose: (token: number) => void;
}) {
  const row = parts[0] as DataRow;
  const blocks = useMemo(() => tokenBlocks(parts), [parts]);
  const at = pointed ?? rest.chosen;
  const block = at === null ? undefined : blocks.find(({ tokens }) => (tokens.at(-1)?.index ?? -1) >= at);
  const token = block?.tokens.find(({ index }) => index === at);
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]">
      <TokenText blocks={blocks} isDropped={row.verdict.kind === 'dropped'} {...rest} />
      <aside className="sticky bottom-0 rounded-lg border border-line bg-surface p-4 max-lg:max-h-[45dvh] max-lg:overflow-y-auto max-lg:shadow-[0_-8px_24px_rgb(0_0_0/0.12)] lg:top-16">
        <TokenDetail row={row} token={token} role={block?.role ?? null} />
      </aside>
    </div>
  );
}

/** Where it lies, what becomes of it and why, and what of it is not read. */
function Notes({ row, answer }: { row: DataRow; answer: Answer }) {
  const t = useTranslations('dataRow');
  const format = useFormat();
  const workspace = useAbout()?.workspace;
  const { verdict, source, leftOut, unread, tokenCount, targetTokens, rejected } = row;
  return (
    <div className="grid gap-2 text-[13px]">
      <p className="flex flex-wrap gap-x-4 text-muted">
        <span className="font-mono text-[12.5px] [overflow-wrap:anywhere]">
          {shortPath(source.file, workspace)}:{source.row}
        </span>
        <span className="figures">
          {tokenCount === null
            ? t('noTokens')
            : t(verdict.kind === 'dropped' ? 'tokensOfDropped' : rejected ? `tokensOfAnswer.${answer}` : 'tokensOf', {
                trained: format.count(targetTokens ?? 0),
                tokens: format.count(tokenCount),
              })}
        </span>
      </p>
      {verdict.kind === 'dropped' && (
        <p className="rounded-md border border-bad/25 bg-bad-soft px-3 py-2 [overflow-wrap:anywhere]">
          {verdict.detail}
        </p>
      )}
      {leftOut.length > 0 && (
        <div className="rounded-md border border-warn/30 bg-warn-soft px-3 py-2 [overflow-wrap:anywhere]">
          <strong className="font-semibold">{t('leftOut')}</strong>
          <ul>
            {leftOut.map(({ detail }) => (
              <li key={detail}>{detail}</li>
            ))}
          </ul>
        </div>
      )}
      {unread.length > 0 && <p className="text-muted">{t('unread', { columns: unread.join(', ') })}</p>}
    </div>
  );
}

function Legend() {
  const t = useTranslations('dataRow');
  return (
    <span className="flex flex-wrap items-center gap-x-3 text-[12.5px]" aria-hidden="true">
      <span className="bg-ember-soft px-1 [box-shadow:inset_0_-2px_0_0_var(--ember)]">{t('legendTrained')}</span>
      <span className="text-muted">{t('legendNot')}</span>
      <span className="text-teal">{t('legendSpecial')}</span>
    </span>
  );
}

/** As it lies in the file; where there are no tokens, also what was rendered. */
function Raw({ row, isAsked }: { row: DataRow; isAsked: boolean }) {
  const t = useTranslations('dataRow');
  return (
    <div className="grid gap-2">
      {!isAsked && row.text !== null && <Preformatted>{row.text}</Preformatted>}
      <Preformatted>{row.value}</Preformatted>
      {row.isValueCut && <p className="text-[12.5px] text-muted">{t('valueCut')}</p>}
    </div>
  );
}

function Preformatted({ children }: { children: string }) {
  return (
    <pre className="whitespace-pre-wrap rounded-lg border border-line bg-surface px-4 py-3 font-mono [font-variant-ligatures:none] text-[12.5px] leading-5 [overflow-wrap:anywhere]">
      {children}
    </pre>
  );
}

/** As one knows it from the list, where it lies in the folder that is served. */
function shortPath(path: string, workspace: string | undefined): string {
  return workspace !== undefined && path.startsWith(`${workspace}/`) ? path.slice(workspace.length + 1) : path;
}

const verdictOf = ({ verdict }: DataRow) => (verdict.kind === 'dropped' ? verdict.reason : verdict.kind);
