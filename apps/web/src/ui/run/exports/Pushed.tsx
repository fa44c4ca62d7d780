'use client';
import type { PushedRepository } from '@anneal/core/protocol/push';
import { ExternalLink } from 'lucide-react';
import { useTranslations } from 'use-intl';

/** What the last push came to. */
export function Pushed({
  result: { repository, url, isPrivate, files, sent, warnings },
}: {
  result: PushedRepository;
}) {
  const t = useTranslations('exports');
  return (
    <div role="status" className="grid gap-1 border-line border-b px-4 py-3 text-[13px]">
      <p>
        <span className="text-good">{t(isPrivate ? 'pushedPrivate' : 'pushedPublic')}</span>{' '}
        <a href={url} target="_blank" rel="noreferrer" className="inline-flex items-center gap-1 font-mono underline">
          {repository}
          <ExternalLink className="size-3.5" aria-hidden="true" />
        </a>
      </p>
      <p className="text-[12.5px] text-muted">
        {t(sent.length === files.length ? 'pushedAll' : 'pushedSome', { count: files.length, sent: sent.length })}
      </p>
      {warnings.map((warning) => (
        <p key={warning} className="text-[12.5px] text-warn [overflow-wrap:anywhere]">
          {warning}
        </p>
      ))}
    </div>
  );
}
