'use client';
import type { Finding } from '@anneal/core/protocol/checks';
import { useEffect, useState } from 'react';
import { useMessages, useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useConnection, useHasSocket } from '../../agent/hooks.ts';
import { useCheckText } from '../../i18n/sights.tsx';
import { Button } from '../Button.tsx';
import { CodeText } from '../CodeText.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { SupportFile } from './SupportFile.tsx';

const colors = { ok: 'bg-good', warn: 'bg-warn', fail: 'bg-bad' } as const;

/** Whether this machine can train, and what to do where it cannot: as `anneal doctor` says it. */
export function Doctor() {
  const t = useTranslations('host');
  const names: Readonly<Record<string, string>> = useMessages().host.check;
  const checkText = useCheckText();
  const hasSocket = useHasSocket();
  const isAway = useConnection() !== 'open';
  const [round, setRound] = useState(0);
  const [found, setFound] = useState<{ round: number; findings?: readonly Finding[]; error?: unknown }>();
  useEffect(() => {
    if (!hasSocket) return;
    const subscription = agent().host.examine.subscribe(undefined, {
      onData: (findings) => setFound({ round, findings }),
      onError: (error) => setFound({ round, error }),
    });
    return () => subscription.unsubscribe();
  }, [hasSocket, round]);
  const isWorking = found?.round !== round;
  return (
    <section aria-label={t('doctor')} className="rounded-lg border border-line bg-surface px-4 py-3">
      <div className="flex items-center gap-3">
        <h2 className="font-medium text-[13px]">{t('doctor')}</h2>
        <Button
          className="ml-auto h-7 px-2.5 text-[12.5px]"
          disabled={isAway || isWorking}
          onClick={() => setRound(round + 1)}
        >
          {t('examineAgain')}
        </Button>
      </div>
      {found?.error !== undefined && <ErrorNote error={shownError(found.error)} />}
      {!found && (
        <p className="mt-2 text-[13px] text-muted" role="status">
          {t('examining')}…
        </p>
      )}
      {found?.findings && (
        <dl
          className={`mt-2 grid gap-x-4 gap-y-1.5 text-[13px] sm:grid-cols-[9rem_1fr] ${isWorking ? 'opacity-50' : ''}`}
        >
          {found.findings.map(checkText).map(({ name, state, found: text, advice }) => (
            <div key={`${name} ${text}`} className="contents">
              <dt className="flex items-baseline gap-2 max-sm:mt-1.5">
                <span className={`size-[7px] shrink-0 rounded-full ${colors[state]}`} aria-hidden="true" />
                <span className="sr-only">{t(`finding.${state}`)}: </span>
                <span>{names[name] ?? name}</span>
              </dt>
              <dd className="text-muted [overflow-wrap:anywhere] max-sm:pl-[15px]">
                {text}
                {advice && (
                  <p className={state === 'ok' ? '' : 'text-ink'}>
                    <CodeText text={advice} />
                  </p>
                )}
              </dd>
            </div>
          ))}
        </dl>
      )}
      {found && <SupportFile />}
    </section>
  );
}
