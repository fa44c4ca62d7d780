'use client';
import type { DataRow } from '@anneal/core/protocol/dataView';
import { useTranslations } from 'use-intl';
import type { Answer } from '../../agent/dataSet.ts';
import { useAbout } from '../../agent/hooks.ts';
import { useFormat } from '../format.ts';
import { RowEditor } from './RowEditor.tsx';

/** Where it lies, what becomes of it and why, and what of it is not read. */
export function Notes({ row, answer }: { row: DataRow; answer: Answer }) {
  const t = useTranslations('dataRow');
  const format = useFormat();
  const workspace = useAbout()?.workspace;
  const { verdict, source, leftOut, unread, tokenCount, targetTokens, rejected, margin } = row;
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
        {margin !== undefined && <span className="figures">{t('margin', { margin: format.number(margin) })}</span>}
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

/** As it lies in the file; where there are no tokens, also what was rendered. */
export function Raw({ row, isAsked }: { row: DataRow; isAsked: boolean }) {
  const t = useTranslations('dataRow');
  return (
    <div className="grid gap-2">
      {!isAsked && row.text !== null && <Preformatted>{row.text}</Preformatted>}
      <Preformatted>{row.value}</Preformatted>
      {row.isValueCut && <p className="text-[12.5px] text-muted">{t('valueCut')}</p>}
    </div>
  );
}

/** Of a file that lies in the folder that is served. */
export function EditRow({ row: { source } }: { row: DataRow }) {
  const workspace = useAbout()?.workspace;
  const key = shortPath(source.file, workspace);
  return key === source.file ? null : <RowEditor file={key} row={source.row} />;
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
