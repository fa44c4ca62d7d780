'use client';
import type { SynthesisResult } from '@anneal/core/protocol/synthesis';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useHasSocket } from '../../agent/hooks.ts';
import { Button } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';

const page = 50;

/** What a synthesis ended with, and what it left out. */
export function MadeRows({ result, onOpen }: { result: SynthesisResult; onOpen: (file: string) => void }) {
  const t = useTranslations('makeRows');
  const format = useFormat();
  const { state, sources, requests, answered, failed, rows, output, rejected, estimate, judgements } = result;
  const left = Object.values(rejected).reduce((sum, count) => sum + count, 0);
  const facts = [
    t('read', { count: sources }),
    t('answered', { answered: format.count(answered), requests: format.count(requests) }),
    ...(failed > 0 ? [t('failed', { count: failed })] : []),
    ...(state === 'estimated' && judgements > 0 ? [t('judgements', { count: judgements })] : []),
  ];
  return (
    <div className="grid gap-2 border-line border-t pt-3" data-made={state}>
      <p className="figures text-muted">{facts.join(' · ')}</p>
      {state === 'estimated' && (
        <p className="figures">
          {t(estimate.measured > 0 ? 'takes' : 'takesAtMost', {
            requests: format.count(estimate.requests),
            sent: format.count(estimate.promptTokens),
            answered: format.count(estimate.completionTokens),
          })}
        </p>
      )}
      {output !== null && (
        <div className="flex flex-wrap items-center gap-3">
          <span className="figures">{t('rows', { count: rows, output })}</span>
          <Button onClick={() => onOpen(output)}>{t('open')}</Button>
        </div>
      )}
      {left > 0 && output !== null && <Rejected file={output} counts={rejected} total={left} />}
    </div>
  );
}

function Rejected({ file, counts, total }: { file: string; counts: SynthesisResult['rejected']; total: number }) {
  const t = useTranslations('makeRows');
  const format = useFormat();
  const enabled = useHasSocket();
  const [isOpen, setIsOpen] = useState(false);
  const [offset, setOffset] = useState(0);
  const { data, error } = useQuery({
    queryKey: ['synthesis-rejected', file, offset, total],
    queryFn: () => agent().synthesis.rejected.query({ file, offset, limit: page }),
    enabled: enabled && isOpen,
  });
  const reasons = Object.entries(counts).map(([reason, count]) => `${format.count(count)} ${reason}`);
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)}>
      <summary>{t('leftOut', { count: total, reasons: reasons.join(', ') })}</summary>
      {error && <ErrorNote error={shownError(error)} />}
      <ul className="mt-2 max-h-80 divide-y divide-line overflow-y-auto" tabIndex={0} aria-label={t('leftOutList')}>
        {data?.rows.map(({ reason, detail, question, answer, content, source }, i) => (
          <li key={`${offset + i}`} className="grid gap-0.5 py-1.5 [overflow-wrap:anywhere]">
            <span>
              <span className="font-mono text-[12.5px]">{reason}</span> {detail}
            </span>
            {source !== null && <span className="font-mono text-[12px] text-muted">{source}</span>}
            {[question, answer, content].map(
              (text) =>
                text !== null && (
                  <span key={text} className="text-[12.5px] text-muted">
                    {text}
                  </span>
                ),
            )}
          </li>
        ))}
      </ul>
      {data && data.total > page && (
        <div className="mt-2 flex items-center gap-2">
          <Button disabled={offset === 0} onClick={() => setOffset(Math.max(0, offset - page))}>
            {t('before')}
          </Button>
          <Button disabled={offset + page >= data.total} onClick={() => setOffset(offset + page)}>
            {t('after')}
          </Button>
          <span className="figures text-muted">
            {format.count(offset + 1)}–{format.count(Math.min(data.total, offset + page))} / {format.count(data.total)}
          </span>
        </div>
      )}
    </details>
  );
}
