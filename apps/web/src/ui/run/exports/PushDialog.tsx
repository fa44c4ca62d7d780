'use client';
import type { StudioExport } from '@anneal/core/protocol/exports';
import { useMutation, useQuery } from '@tanstack/react-query';
import Link from 'next/link';
import { Dialog } from 'radix-ui';
import { type FormEvent, useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../../agent/connection.ts';
import { useCalledAs } from '../../../agent/hooks.ts';
import type { RunFacts } from '../../../agent/liveRun.ts';
import { useIsOff } from '../../../agent/useMe.ts';
import { Button, buttonClass } from '../../Button.tsx';
import { Command } from '../../Command.tsx';
import { ErrorNote, shownError } from '../../ErrorNote.tsx';
import { FormChoice } from './FormChoice.tsx';
import { pushCommand } from './forms.ts';

/** Asks where to, and for whom; what is then sent is a job like others. */
export function PushDialog({ run, exported, onClose }: { run: RunFacts; exported: StudioExport; onClose: () => void }) {
  const t = useTranslations('exports');
  const anneal = useCalledAs();
  const isOff = useIsOff('operator');
  const [to, setTo] = useState('');
  const [isPublic, setIsPublic] = useState(false);
  const [replace, setReplace] = useState(false);
  const { data: secrets } = useQuery({ queryKey: ['secrets'], queryFn: () => agent().secrets.list.query() });
  const hasToken = secrets?.some(({ name, from }) => name === 'hf_token' && from !== null) ?? true;
  const wanted = { to: to.trim(), public: isPublic, replace };
  const push = useMutation({
    mutationFn: () => agent().exports.push.mutate({ run: run.key, exported: exported.key, ...wanted }),
    onSuccess: onClose,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    push.mutate();
  };
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/30" />
        <Dialog.Content className="fixed top-[10vh] left-1/2 z-50 grid max-h-[84vh] w-[min(34rem,calc(100vw-2rem))] -translate-x-1/2 grid-cols-[minmax(0,1fr)] gap-3 overflow-y-auto rounded-xl border border-line bg-surface p-5 shadow-xl">
          <Dialog.Title className="font-semibold text-[15px]">{t('pushTitle')}</Dialog.Title>
          <Dialog.Description className="text-muted">
            {exported.form === 'gguf' ? t('pushGguf') : t('pushText')}
          </Dialog.Description>
          {!hasToken && (
            <p className="rounded-md bg-warn-soft px-3 py-2 text-[13px]">
              {t('pushNoToken')}{' '}
              <Link href="/settings" className="underline underline-offset-2">
                {t('pushSettings')}
              </Link>
            </p>
          )}
          <form onSubmit={submit} className="grid grid-cols-[minmax(0,1fr)] gap-3">
            <label className="grid gap-1">
              <span className="label">{t('pushTo')}</span>
              <input
                value={to}
                onChange={(event) => setTo(event.target.value)}
                placeholder="owner/name"
                spellCheck={false}
                autoCapitalize="none"
                className="h-8 w-full rounded-md border border-line bg-surface px-2.5 font-mono text-[12.5px] placeholder:text-muted"
              />
            </label>
            <div>
              <FormChoice
                name={t('pushPublic')}
                hint={t('pushPublicHint')}
                bytes={null}
                checked={isPublic}
                onChange={setIsPublic}
              />
              <FormChoice
                name={t('pushReplace')}
                hint={t('pushReplaceHint')}
                bytes={null}
                checked={replace}
                onChange={setReplace}
              />
            </div>
            {push.error && <ErrorNote error={shownError(push.error)} />}
            <div className="grid grid-cols-[minmax(0,1fr)] gap-1.5">
              <span className="label">{t('command')}</span>
              <Command>{pushCommand(exported, { ...wanted, anneal })}</Command>
            </div>
            <div className="flex justify-end gap-2">
              <Dialog.Close className={buttonClass()}>{t('pushCancel')}</Dialog.Close>
              <Button type="submit" look="primary" disabled={isOff || push.isPending || !to.includes('/')}>
                {t('push')}
              </Button>
            </div>
          </form>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
