'use client';
/** What every screen stands in: where one is, whether what one sees is live, and language and theme. */
import dynamic from 'next/dynamic';
import Link from 'next/link';
import { usePathname } from 'next/navigation';
import { type ReactNode, useEffect, useRef } from 'react';
import { useTranslations } from 'use-intl';
import { fetchPart } from '../agent/fetchPart.ts';
import { useStepsSettled } from '../agent/firstSteps.ts';
import { useConnection, useHasSocket } from '../agent/hooks.ts';
import { useFollowedJobs } from '../agent/jobs.ts';
import { agentPath } from '../agent/paths.ts';
import { ConnectionBadge } from './ConnectionBadge.tsx';
import { FirstSteps } from './firstSteps/FirstSteps.tsx';
import { Activity } from './jobs/Activity.tsx';
import { Mark } from './Mark.tsx';
import { SettingsMenu } from './SettingsMenu.tsx';

/** No page waits for it. */
const AddressNotice = dynamic(async () => (await fetchPart(() => import('./AddressNotice.tsx'))).AddressNotice, {
  ssr: false,
});

const screens = [
  { path: '/', name: 'runs' },
  { path: '/recipes', name: 'recipes' },
  { path: '/data', name: 'data' },
  { path: '/chat', name: 'chat' },
  { path: '/models', name: 'models' },
  { path: '/host', name: 'host' },
] as const;

export function Frame({ children }: { children: ReactNode }) {
  const t = useTranslations();
  const path = usePathname();
  const connection = useConnection();
  // Nothing is moved by first steps that come late: until they stand above, or are known not to, there is nothing to move.
  const isComing = !useStepsSettled() && connection !== 'lost' && connection !== 'unpaired' && path !== '/pair';
  useFollowedJobs(useHasSocket());
  // A full load: nothing of a session that has ended stays behind.
  useEffect(() => {
    if (connection === 'unpaired' && path !== '/pair') location.replace(agentPath('/pair'));
  }, [connection, path]);
  return (
    <div className="flex min-h-dvh flex-col">
      <a href="#content" className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:bg-surface focus:p-2">
        {t('nav.skip')}
      </a>
      <header className="sticky top-0 z-20 border-line border-b bg-paper/90 backdrop-blur-md">
        <div className="mx-auto flex h-12 max-w-[1400px] items-center gap-1 px-4 sm:gap-4 sm:px-6">
          <Link href="/" className="mr-1 flex shrink-0 items-center gap-2 font-semibold tracking-tight sm:mr-3">
            <Mark className="size-5" />
            <span className="max-sm:sr-only">Anneal</span>
          </Link>
          <nav
            aria-label={t('nav.main')}
            className="flex h-full min-w-0 overflow-x-auto sm:gap-1 [scrollbar-width:none]"
          >
            {screens.map((screen) => (
              <NavLink key={screen.path} href={screen.path} current={isCurrent(screen.path, path)}>
                {t(`nav.${screen.name}`)}
              </NavLink>
            ))}
          </nav>
          <div className="flex shrink-0 grow items-center justify-end gap-1 sm:gap-2">
            <Activity />
            <ConnectionBadge />
            <SettingsMenu />
          </div>
        </div>
      </header>
      {connection === 'lost' && (
        <div role="alert" className="border-warn/25 border-b bg-warn-soft">
          <p className="mx-auto max-w-[1400px] px-4 py-2 text-[13px] sm:px-6">
            <strong className="font-semibold text-warn">{t('connection.lostTitle')}.</strong> {t('connection.lostText')}
          </p>
        </div>
      )}
      {connection !== 'unpaired' && path !== '/pair' && <FirstSteps />}
      <main
        id="content"
        className={`mx-auto flex w-full max-w-[1400px] grow flex-col px-4 py-5 sm:px-6 sm:py-7 ${isComing ? 'invisible' : ''}`}
      >
        <AddressNotice />
        {children}
      </main>
    </div>
  );
}

function NavLink({ href, current, children }: { href: string; current: boolean; children: ReactNode }) {
  const link = useRef<HTMLAnchorElement>(null);
  // Where there is no room for all screens, the one that is shown is in sight.
  useEffect(() => {
    if (current) link.current?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [current]);
  return (
    <Link
      ref={link}
      href={href}
      aria-current={current ? 'page' : undefined}
      className="relative flex shrink-0 items-center px-1.5 text-muted sm:px-2 transition-colors hover:text-ink focus-visible:outline-offset-[-2px] aria-[current]:font-medium aria-[current]:text-ink aria-[current]:after:absolute aria-[current]:after:inset-x-1.5 sm:aria-[current]:after:inset-x-2 aria-[current]:after:-bottom-px aria-[current]:after:h-0.5 aria-[current]:after:bg-ember"
    >
      {children}
    </Link>
  );
}

/** One run belongs to the runs, and so do some that are compared. */
function isCurrent(screen: string, path: string): boolean {
  return screen === '/' ? ['/', '/run', '/compare'].includes(path) : path.startsWith(screen);
}
