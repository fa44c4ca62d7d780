'use client';
import { useRouter } from 'next/navigation';
import { type FormEvent, useEffect, useState } from 'react';
import { useTranslations } from 'use-intl';
import { pair } from '../../src/agent/connection.ts';
import { useConnection } from '../../src/agent/hooks.ts';
import { Button } from '../../src/ui/Button.tsx';
import { Command } from '../../src/ui/Command.tsx';
import { Mark } from '../../src/ui/Mark.tsx';

type Trouble = 'pairing_code_wrong' | 'too_many_attempts' | 'unreachable';

export default function PairScreen() {
  const t = useTranslations('pair');
  const router = useRouter();
  const connection = useConnection();
  const [code, setCode] = useState('');
  const [linked, setLinked] = useState('');
  const [working, setWorking] = useState(false);
  const [trouble, setTrouble] = useState<Trouble>();

  const tryCode = async (typed: string) => {
    setWorking(true);
    setTrouble(undefined);
    try {
      const error = await pair(typed);
      if (!error) return router.replace('/');
      setTrouble(error.code === 'too_many_attempts' ? 'too_many_attempts' : 'pairing_code_wrong');
    } catch {
      setTrouble('unreachable');
    }
    setWorking(false);
  };

  // The link brings its code behind the #. Nothing of it is kept in the address or the history.
  useEffect(() => {
    setLinked(decodeURIComponent(location.hash.slice(1)));
    history.replaceState(history.state, '', location.pathname);
  }, []);

  // A browser that is paired already leaves the code for another one.
  useEffect(() => {
    if (connection !== 'unpaired' || linked === '') return;
    setLinked('');
    setCode(linked);
    void tryCode(linked);
  }, [connection, linked]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    void tryCode(code);
  };
  if (connection === 'open' || connection === 'connecting') {
    return (
      <div className="m-auto grid justify-items-center gap-3 pb-[12vh]">
        <p>{t('done')}</p>
        <Button look="primary" onClick={() => router.replace('/')}>
          {t('continue')}
        </Button>
      </div>
    );
  }
  return (
    <div className="m-auto w-full max-w-sm pb-[10vh]">
      <title>{`${t('title')} · Anneal`}</title>
      <Mark className="mb-5 size-8" />
      <h1 className="font-semibold text-[22px] tracking-[-0.015em]">{t('title')}</h1>
      <p className="mt-1 mb-5 text-muted">{t('text')}</p>
      <form onSubmit={submit} className="flex gap-2">
        <label className="grow">
          <span className="sr-only">{t('code')}</span>
          <input
            value={code}
            onChange={(event) => setCode(event.target.value)}
            placeholder={t('code')}
            autoComplete="one-time-code"
            autoCapitalize="characters"
            spellCheck={false}
            aria-invalid={trouble !== undefined}
            aria-describedby={trouble ? 'trouble' : undefined}
            className="h-10 w-full rounded-md border border-line bg-surface px-3 font-mono text-[15px] uppercase tracking-[0.12em] placeholder:normal-case placeholder:tracking-normal placeholder:text-muted aria-invalid:border-bad"
          />
        </label>
        <Button type="submit" look="primary" disabled={working || code.trim() === ''} className="h-10 px-5">
          {working ? t('working') : t('submit')}
        </Button>
      </form>
      {trouble && (
        <div
          id="trouble"
          role="alert"
          className="mt-4 grid gap-2 rounded-lg border border-bad/30 bg-bad-soft px-4 py-3"
        >
          <p>{t(trouble)}</p>
          {trouble === 'pairing_code_wrong' && (
            <>
              <p className="text-muted">{t('next')}</p>
              <Command>npx anneal pair</Command>
            </>
          )}
        </div>
      )}
      <details className="mt-6 text-[13px]">
        <summary className="text-muted hover:text-ink">{t('how')}</summary>
        <div className="mt-3 grid gap-2">
          <p className="text-muted">{t('howServe')}</p>
          <Command>npx anneal serve</Command>
          <p className="mt-1 text-muted">{t('howPair')}</p>
          <Command>npx anneal pair</Command>
        </div>
      </details>
    </div>
  );
}
