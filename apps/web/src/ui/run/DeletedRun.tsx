'use client';
import { useMutation } from '@tanstack/react-query';
import { Undo2, X } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useConnection } from '../../agent/hooks.ts';
import { Button, IconButton } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';

/** Says that a run was deleted, and brings it back. */
export function DeletedRun({ run, onClose }: { run: string; onClose: () => void }) {
  const t = useTranslations('runs');
  const router = useRouter();
  const isAway = useConnection() !== 'open';
  const restore = useMutation({
    mutationFn: () => agent().runs.restore.mutate({ run }),
    onSuccess: () => router.push(`/run?id=${encodeURIComponent(run)}`),
  });
  return (
    <div className="mb-4 grid gap-2">
      <div role="status" className="flex items-center gap-2 rounded-md bg-sunken py-1 pr-1 pl-3 text-[13px]">
        <span className="min-w-0 truncate">{t('deleted', { run: run.split('/').at(-1) ?? run })}</span>
        <Button className="ml-auto shrink-0" disabled={isAway || restore.isPending} onClick={() => restore.mutate()}>
          <Undo2 className="size-3.5" aria-hidden="true" />
          {t('undo')}
        </Button>
        <IconButton label={t('dismiss')} onClick={onClose}>
          <X className="size-4" />
        </IconButton>
      </div>
      {restore.error && <ErrorNote error={shownError(restore.error)} />}
    </div>
  );
}
