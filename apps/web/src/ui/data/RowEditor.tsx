'use client';
/** Edits a row, or leaves it out, in a new version of its file. The file itself stays as it is. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { Pencil } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { useEffect, useId, useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useHasSocket } from '../../agent/hooks.ts';
import { useJobsOf } from '../../agent/jobs.ts';
import { useIsOff, useMay } from '../../agent/useMe.ts';
import { Button, buttonClass } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { JobProgress } from '../jobs/JobProgress.tsx';
import { indentJson } from './indentJson.ts';
import { isTyping } from './isTyping.ts';
import { NewVersion } from './NewVersion.tsx';

interface EditableRow {
  /** Of the data file in the workspace. */
  file: string;
  /** Its line. */
  row: number;
}

export function RowEditor(row: EditableRow) {
  const t = useTranslations('rowEditor');
  const [isOpen, setIsOpen] = useState(false);
  const may = useMay('editor');
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== 'e' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      setIsOpen(true);
      event.preventDefault();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, []);
  return (
    <Dialog.Root open={isOpen} onOpenChange={setIsOpen}>
      <Dialog.Trigger className={buttonClass()} title={may ? t('hint') : t('needsEditor')}>
        <Pencil className="size-3.5" aria-hidden="true" />
        {t('edit')}
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/30" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed top-[8%] left-1/2 z-50 grid outline-none max-h-[84dvh] w-[min(46rem,calc(100vw-2rem))] -translate-x-1/2 gap-3 overflow-y-auto rounded-xl border border-line bg-surface p-5 shadow-xl"
        >
          <Dialog.Title className="font-semibold text-[15px] [overflow-wrap:anywhere]">
            {t('title', { row: row.row, file: row.file })}
          </Dialog.Title>
          <Editing {...row} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Editing({ file, row }: EditableRow) {
  const t = useTranslations('rowEditor');
  const enabled = useHasSocket();
  const { data: found, error } = useQuery({
    queryKey: ['row-to-edit', file, row],
    queryFn: () => agent().data.rowToEdit.query({ file, row }),
    // Somebody else may have written the file since it was last looked at.
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
    enabled,
  });
  const field = useId();
  const isOff = useIsOff('editor');
  const may = useMay('editor');
  const [written, setWritten] = useState<string>();
  const original = found && (found.isJson ? indentJson(found.text) : found.text);
  const text = written ?? original ?? '';
  const edit = useMutation({
    mutationFn: (change: string | null) =>
      agent().data.editRow.mutate({ file, row, was: found?.was ?? '', text: change }),
  });
  const job = useJobsOf('editRow').find(({ id }) => id === edit.data?.job);
  const failed = edit.error ? shownError(edit.error) : job?.error;
  if (job?.result) return <NewVersion file={file} version={job.result.file} />;
  if (error) return <ErrorNote error={shownError(error)} />;
  if (original === undefined) return <p role="status">{t('loading')}…</p>;
  const isWorking = edit.isPending || (edit.data !== undefined && job?.ended == null);
  return (
    <>
      <p className="text-[13px] text-muted">{t('text')}</p>
      {!may && <p className="text-[13px] text-warn">{t('needsEditor')}</p>}
      <label htmlFor={field} className="label">
        {t(found?.isJson ? 'rowJson' : 'rowText')}
      </label>
      <textarea
        id={field}
        value={text}
        readOnly={!may}
        spellCheck={false}
        rows={Math.min(18, Math.max(5, text.split('\n').length + 1))}
        onChange={(event) => setWritten(event.target.value)}
        className="w-full resize-y rounded-md border border-line bg-paper px-3 py-2 font-mono [font-variant-ligatures:none] text-[12.5px] leading-5"
      />
      {failed && <ErrorNote error={failed} />}
      {isWorking && job && <JobProgress job={job} />}
      <div className="flex flex-wrap items-center gap-2">
        <Button look="danger" disabled={isOff || isWorking} onClick={() => edit.mutate(null)}>
          {t('remove')}
        </Button>
        <span className="ml-auto" />
        <Dialog.Close className={buttonClass()}>{t('cancel')}</Dialog.Close>
        <Button look="primary" disabled={isOff || isWorking || text === original} onClick={() => edit.mutate(text)}>
          {t('save')}
        </Button>
      </div>
    </>
  );
}
