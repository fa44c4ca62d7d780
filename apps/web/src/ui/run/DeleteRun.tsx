'use client';
import { useMutation } from '@tanstack/react-query';
import { Trash2 } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useConnection } from '../../agent/hooks.ts';
import { IconButton } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';

/** Moves the run into the trash; the list of runs then offers to bring it back. */
export function DeleteRun({ run }: { run: string }) {
  const t = useTranslations('run');
  const router = useRouter();
  const isAway = useConnection() !== 'open';
  const remove = useMutation({
    mutationFn: () => agent().runs.remove.mutate({ runs: [run] }),
    onSuccess: () => router.push(`/?deleted=${encodeURIComponent(run)}`),
  });
  return (
    <>
      <IconButton label={t('delete')} disabled={isAway || remove.isPending} onClick={() => remove.mutate()}>
        <Trash2 className="size-4" />
      </IconButton>
      {remove.error && <ErrorNote error={shownError(remove.error)} />}
    </>
  );
}
