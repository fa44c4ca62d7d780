'use client';
import type { BatchRowTokens, LossToken } from '@anneal/core/protocol/batches';
import { parseAsInteger, useQueryState } from 'nuqs';
import { useEffect, useMemo, useState } from 'react';
import { useTranslations } from 'use-intl';
import { partTokens } from '../../agent/batches.ts';
import { Button } from '../Button.tsx';
import { isTyping } from '../data/isTyping.ts';
import { RowEditor } from '../data/RowEditor.tsx';
import { shadeStyle, type TextToken, type TokenBlock } from '../data/shownTokens.ts';
import { TokenText } from '../data/TokenText.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { BatchTokenDetail } from './BatchTokenDetail.tsx';
import { fullLoss, shadeOf } from './losses.ts';

interface RowTokensProps {
  row: { file: string; row: number; key: string | null };
  /** Its tokens, as far as they came. */
  answers: readonly BatchRowTokens[];
  error: unknown;
  /** Its tokens may have losses. */
  hasLosses: boolean;
  /** Asks for the next part of a long one. */
  onMore: () => void;
}

/** A row of a batch token by token: colored by loss as soon as that is measured, before by what is trained. */
export function RowTokens({ row, answers, error, hasLosses, onMore }: RowTokensProps) {
  const t = useTranslations('batch');
  const rowTexts = useTranslations('dataRow');
  const format = useFormat();
  const [chosen, setChosen] = useQueryState('token', parseAsInteger);
  const [pointed, setPointed] = useState<number | null>(null);
  const tokens = useMemo(() => answers.flatMap((answer) => answer.tokens), [answers]);
  const blocks = useMemo(() => blocksOf(answers, t), [answers, t]);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target)) return;
      // In a chart the arrows move the view.
      if (document.activeElement?.getAttribute('role') === 'img') return;
      const next = { ArrowRight: (chosen ?? -1) + 1, ArrowLeft: (chosen ?? 1) - 1 }[event.key];
      if (next === undefined || tokens[next] === undefined) return;
      void setChosen(next);
      event.preventDefault();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  });
  const at = pointed ?? chosen;
  const isMeasured = answers.some((answer) => answer.checkpoint !== null);
  return (
    <div className="grid gap-3">
      <div className="flex flex-wrap items-center gap-x-5 gap-y-2">
        <h3 className="font-mono text-[12.5px] text-muted [overflow-wrap:anywhere]">
          {row.key ?? row.file}:{row.row}
        </h3>
        {row.key === null ? (
          <span className="text-[12px] text-muted">{t('elsewhere')}</span>
        ) : (
          <RowEditor file={row.key} row={row.row} />
        )}
        <Legend isMeasured={isMeasured} />
      </div>
      {error ? <ErrorNote error={shownError(error)} /> : null}
      {tokens.length > 0 && (
        <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,1fr)_16rem]">
          <TokenText
            blocks={blocks}
            form="text"
            showsSpace={false}
            isDropped={false}
            chosen={chosen}
            onPoint={setPointed}
            onChoose={(token) => void setChosen(token)}
          />
          <aside className="rounded-lg border border-line bg-surface p-4 max-xl:sticky max-xl:bottom-0">
            <BatchTokenDetail
              token={at === null ? undefined : tokens[at]}
              index={at ?? 0}
              of={answers[0]?.tokenCount ?? 0}
              hasLosses={hasLosses}
            />
          </aside>
        </div>
      )}
      {tokens.length > 0 && tokens.length < (answers[0]?.tokenCount ?? 0) && (
        <Button className="justify-self-start" onClick={onMore}>
          {rowTexts('more', { count: format.count(partTokens) })}
        </Button>
      )}
    </div>
  );
}

/** What is trained, and what is read before it, each in blocks of its own. */
function blocksOf(parts: readonly BatchRowTokens[], t: (key: 'trained' | 'read') => string): TokenBlock<TextToken>[] {
  const blocks: TokenBlock<TextToken>[] = [];
  for (const { from, tokens } of parts) {
    for (const [i, token] of tokens.entries()) {
      const role = t(token.target ? 'trained' : 'read');
      const last = blocks.at(-1);
      if (last?.role === role) last.tokens.push(textToken(token, from + i));
      else blocks.push({ message: null, role, tokens: [textToken(token, from + i)] });
    }
  }
  return blocks;
}

function textToken({ id, text, spelled, bytes, isControl, target, loss }: LossToken, index: number): TextToken {
  return { index, id, text: spelled, part: text, bytes, target, isControl, isCut: false, shade: shadeOf(loss) };
}

function Legend({ isMeasured }: { isMeasured: boolean }) {
  const t = useTranslations('batch');
  if (!isMeasured) return null;
  const losses = [0, 1 / 3, 2 / 3, 1];
  return (
    <span className="ml-auto flex items-center gap-2 text-[12px] text-muted">
      {t('expected')}
      <span className="flex overflow-hidden rounded-[3px] border border-line">
        {losses.map((share) => (
          <span key={share} className="figures px-1.5 text-ink" style={shadeStyle(share)}>
            {share === 1 ? `≥ ${fullLoss}` : share * fullLoss}
          </span>
        ))}
      </span>
      {t('unexpected')}
    </span>
  );
}
