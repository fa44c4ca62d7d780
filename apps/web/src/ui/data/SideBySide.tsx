'use client';
import type { DataRow, DataSourceName, OtherText } from '@anneal/core/protocol/dataView';
import { useQueries, useQuery } from '@tanstack/react-query';
import { type ReactNode, useMemo, useState } from 'react';
import { useTranslations } from 'use-intl';
import { type Answer, partsOf, partTokens, rowQuery } from '../../agent/dataSet.ts';
import { useHasSocket } from '../../agent/hooks.ts';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { tokenBlocks } from './shownTokens.ts';
import { TokenDetail } from './TokenDetail.tsx';
import { More } from './Tokens.tsx';
import { type TokenForm, TokenText } from './TokenText.tsx';
import { differences } from './tokenDifferences.ts';
import { VerdictBadge, verdictOf } from './VerdictBadge.tsx';

interface SideBySideProps {
  name: DataSourceName;
  row: number;
  answer: Answer;
  /** As far as they came, as the data are read. */
  parts: readonly DataRow[];
  other: OtherText;
  form: TokenForm;
  showsSpace: boolean;
  chosen: number | null;
  onChoose: (token: number) => void;
  /** Asks for the next part; null while one is on its way. */
  onMore: (() => void) | null;
}

/** A row as training reads it, and beside it as another template or tokenizer does, with what differs marked. */
export function SideBySide({ name, row, answer, parts, other, onMore, ...drawn }: SideBySideProps) {
  const { form, showsSpace, chosen, onChoose } = drawn;
  const t = useTranslations('dataRow');
  const enabled = useHasSocket();
  const { data: otherStart } = useQuery({ ...rowQuery(name, row, 0, answer, other), enabled });
  // Where the row has come whole, all of the other reading is beside it, which may be the longer one.
  const otherParts = parts.at(-1)?.isLast ? Math.ceil((otherStart?.tokenCount ?? 0) / partTokens) : 0;
  const count = Math.max(parts.length, otherParts);
  const { parts: others, error } = useQueries({
    queries: Array.from({ length: count }, (_, part) => ({
      ...rowQuery(name, row, part * partTokens, answer, other),
      enabled,
    })),
    combine: partsOf,
  });
  const isComplete = others.length === count;
  const blocks = useMemo(() => tokenBlocks(parts), [parts]);
  const otherBlocks = useMemo(() => tokenBlocks(others), [others]);
  const marks = useMemo(() => {
    const isWhole = { mine: parts.at(-1)?.isLast === true, other: others.at(-1)?.isLast === true };
    return isComplete ? differences(blocks, otherBlocks, isWhole) : undefined;
  }, [parts, others, isComplete, blocks, otherBlocks]);
  const [pointed, setPointed] = useState<Place | null>(null);
  // Of the other reading a token is chosen until one of the row itself is, which the address names.
  const [picked, setPicked] = useState<{ token: number; instead: number | null } | null>(null);
  const otherChosen = picked && picked.instead === chosen ? picked.token : null;
  const mineChosen = otherChosen === null ? chosen : null;
  const at = pointed ?? placeOf('other', otherChosen) ?? placeOf('mine', mineChosen);
  const [first, otherFirst] = [parts[0] as DataRow, others[0]];
  const shown = at?.side === 'other' ? otherBlocks : blocks;
  const block = shown.find(({ tokens }) => (tokens.at(-1)?.index ?? -1) >= (at?.token ?? Number.POSITIVE_INFINITY));
  const text = { form, showsSpace };
  return (
    <div className="grid gap-4">
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <Reading title={t('asTrained')} row={first} differing={marks?.mine.size}>
          <TokenText
            {...text}
            blocks={blocks}
            label={t('list')}
            differing={marks?.mine}
            isDropped={first.verdict.kind === 'dropped'}
            chosen={mineChosen}
            onPoint={(token) => setPointed(placeOf('mine', token))}
            onChoose={(token) => {
              setPicked(null);
              onChoose(token);
            }}
          />
        </Reading>
        {error ? (
          <ErrorNote error={shownError(error)} />
        ) : otherFirst ? (
          <Reading title={t('asOther')} row={otherFirst} differing={marks?.other.size}>
            {otherFirst.tokens === null ? null : (
              <TokenText
                {...text}
                blocks={otherBlocks}
                label={t('otherList')}
                idPrefix="other-token"
                differing={marks?.other}
                isDropped={otherFirst.verdict.kind === 'dropped'}
                chosen={otherChosen}
                onPoint={(token) => setPointed(placeOf('other', token))}
                onChoose={(token) => setPicked({ token, instead: chosen })}
              />
            )}
          </Reading>
        ) : (
          <p className="text-[13px] text-muted" role="status">
            {t('readingOther')}…
          </p>
        )}
      </div>
      {/* Either reading may have more tokens than the other. */}
      <More readings={[parts, others]} onMore={isComplete || error ? onMore : null} />
      <aside
        tabIndex={0}
        className="sticky bottom-0 max-h-[40dvh] overflow-y-auto rounded-lg border border-line bg-surface p-4 shadow-[0_-8px_24px_rgb(0_0_0/0.12)]"
      >
        <TokenDetail
          row={at?.side === 'other' && otherFirst ? otherFirst : first}
          token={block?.tokens.find(({ index }) => index === at?.token)}
          role={block?.role ?? null}
        />
      </aside>
    </div>
  );
}

interface Place {
  side: 'mine' | 'other';
  token: number;
}

function placeOf(side: Place['side'], token: number | null): Place | null {
  return token === null ? null : { side, token };
}

interface ReadingProps {
  title: string;
  row: DataRow;
  /** How many of its tokens differ from the other's; undefined until both are there. */
  differing: number | undefined;
  children: ReactNode;
}

function Reading({ title, row, differing, children }: ReadingProps) {
  const t = useTranslations('dataRow');
  const format = useFormat();
  const { tokenCount, targetTokens, verdict, leftOut } = row;
  return (
    <section aria-label={title} className="grid min-w-0 gap-2">
      <div className="flex flex-wrap items-center gap-x-3 text-[13px]">
        <h3 className="font-medium">{title}</h3>
        <VerdictBadge verdict={verdictOf(row)} leavesOut={leftOut.length > 0} />
        <span className="figures text-muted">
          {tokenCount === null
            ? t('noTokens')
            : t('tokensOf', { trained: format.count(targetTokens ?? 0), tokens: format.count(tokenCount) })}
        </span>
        {differing !== undefined && (
          <span className="figures text-muted" role="status">
            {t('differ', { count: differing })}
          </span>
        )}
      </div>
      {verdict.kind === 'dropped' && (
        <p className="rounded-md border border-bad/25 bg-bad-soft px-3 py-2 text-[13px] [overflow-wrap:anywhere]">
          {verdict.detail}
        </p>
      )}
      {children}
    </section>
  );
}
