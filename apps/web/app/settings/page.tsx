'use client';
import dynamic from 'next/dynamic';
import { useTranslations } from 'use-intl';
import { fetchPart } from '../../src/agent/fetchPart.ts';
import { useMe } from '../../src/agent/useMe.ts';
import { About } from '../../src/ui/settings/About.tsx';
import { Browsers } from '../../src/ui/settings/Browsers.tsx';
import { Endpoints } from '../../src/ui/settings/Endpoints.tsx';
import { People } from '../../src/ui/settings/People.tsx';
import { Secrets } from '../../src/ui/settings/Secrets.tsx';
import { Storage } from '../../src/ui/settings/Storage.tsx';
import { Tokens } from '../../src/ui/settings/Tokens.tsx';
import { You } from '../../src/ui/settings/You.tsx';

/** For admins alone, with texts of its own. */
const AuditLog = dynamic(async () => (await fetchPart(() => import('../../src/ui/settings/AuditLog.tsx'))).AuditLog, {
  ssr: false,
  loading: () => <div data-coming />,
});

export default function SettingsScreen() {
  const t = useTranslations('access');
  const me = useMe();
  return (
    <>
      <title>{`${t('title')} · Anneal`}</title>
      <h1 className="mb-5 font-semibold text-[22px] leading-8 tracking-[-0.015em]">{t('title')}</h1>
      {!me && (
        <p className="text-muted" role="status">
          {t('loading')}…
        </p>
      )}
      {me && (
        // Together, so that none of them moves another; only the storage, which takes longer, is below all of them.
        <div className="group grid grid-cols-[minmax(0,1fr)]">
          <p className="col-start-1 row-start-1 hidden text-muted group-has-[[data-coming]]:block" role="status">
            {t('loading')}…
          </p>
          <div className="col-start-1 row-start-1 grid gap-5 group-has-[[data-coming]]:invisible">
            <div className="grid items-start gap-5 lg:grid-cols-2">
              <You me={me} />
              <Browsers />
            </div>
            {me.role === 'admin' && (
              <>
                <People me={me} />
                <Tokens />
                <Secrets />
                <Endpoints />
                <AuditLog />
              </>
            )}
            <About />
            <Storage />
          </div>
        </div>
      )}
    </>
  );
}
