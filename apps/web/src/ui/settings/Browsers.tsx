'use client';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useConnection, useHasSocket } from '../../agent/hooks.ts';
import { Button } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { browserName } from './browserName.ts';
import { Card } from './Card.tsx';
import { PairingLink } from './PairingLink.tsx';

/** One's own browsers: the others can be signed out, and one more let in. */
export function Browsers() {
  const t = useTranslations('access');
  const format = useFormat();
  const queries = useQueryClient();
  const enabled = useHasSocket();
  const isAway = useConnection() !== 'open';
  const { data: browsers, error } = useQuery({
    queryKey: ['browsers'],
    queryFn: () => agent().people.browsers.query(),
    enabled,
  });
  const end = useMutation({
    mutationFn: (browser?: string) => agent().people.endBrowsers.mutate(browser === undefined ? {} : { browser }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['browsers'] }),
  });
  const pair = useMutation({ mutationFn: () => agent().people.pairAnother.mutate() });
  const failure = error ?? end.error ?? pair.error;
  const others = browsers?.filter(({ isThis }) => !isThis) ?? [];
  return (
    <Card title={t('browsers')} isComing={!browsers && !error}>
      {failure && <ErrorNote error={shownError(failure)} />}
      <ul className="grid gap-0.5">
        {browsers?.map(({ id, browser, created, isThis }) => (
          <li key={id} className="flex min-h-8 min-w-0 items-center gap-3 text-[13px]">
            <span className="min-w-0 truncate" title={browser}>
              {browserName(browser) || t('unknownBrowser')}
            </span>
            <span className="figures shrink-0 text-[12.5px] text-muted">
              {t('since', { time: format.time(created) })}
            </span>
            {isThis ? (
              <span className="ml-auto shrink-0 text-[12.5px] text-muted">{t('thisBrowser')}</span>
            ) : (
              <Button
                className="ml-auto h-7 shrink-0 px-2 text-[12.5px]"
                disabled={isAway || end.isPending}
                aria-label={t('endOf', { browser: browserName(browser) || t('unknownBrowser') })}
                onClick={() => end.mutate(id)}
              >
                {t('signOut')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <div className="mt-3 flex flex-wrap gap-2">
        <Button disabled={isAway || pair.isPending} onClick={() => pair.mutate()}>
          {t('pairAnother')}
        </Button>
        {others.length > 0 && (
          <Button disabled={isAway || end.isPending} onClick={() => end.mutate(undefined)}>
            {t('endOthers')}
          </Button>
        )}
      </div>
      {pair.data && (
        <div className="mt-3">
          <PairingLink code={pair.data} />
        </div>
      )}
    </Card>
  );
}
