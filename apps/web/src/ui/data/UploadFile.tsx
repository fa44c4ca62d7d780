'use client';
import { useQueryClient } from '@tanstack/react-query';
import { Upload } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslations } from 'use-intl';
import { useConnection } from '../../agent/hooks.ts';
import { sendFile } from '../../agent/uploads.ts';
import { useMay } from '../../agent/useMe.ts';
import type { ToldProblem } from '../../i18n/problems.tsx';
import { Button } from '../Button.tsx';
import { ErrorNote } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { Progress } from '../Progress.tsx';

interface Sending {
  file: string;
  sent: number;
  size: number;
  end?: () => void;
}

/** Sends a file of this computer into a folder of the workspace. @param folder by its key */
export function UploadFile({ folder, onDone }: { folder: string; onDone: (file: string) => void }) {
  const t = useTranslations('data');
  const format = useFormat();
  const queries = useQueryClient();
  const mayUpload = useMay('editor');
  const isAway = useConnection() !== 'open';
  const input = useRef<HTMLInputElement>(null);
  const [sending, setSending] = useState<Sending>();
  const [error, setError] = useState<ToldProblem>();
  const shownFolder = folder === '' ? '/' : folder;
  const choose = async (file: File | undefined) => {
    if (!file) return;
    setError(undefined);
    setSending({ file: file.name, sent: 0, size: file.size });
    const end = await sendFile(file, folder, {
      onProgress: (sent, size) => setSending((now) => now && { ...now, sent, size }),
      onError(failure) {
        setSending(undefined);
        setError(failure);
      },
      async onDone(key) {
        await queries.invalidateQueries({ queryKey: ['data-list'] });
        setSending(undefined);
        onDone(key);
      },
    });
    setSending((now) => now && { ...now, end });
  };
  useEffect(() => {
    if (!sending) return;
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [sending]);
  if (!mayUpload) return null;
  return (
    <>
      <input
        ref={input}
        type="file"
        accept=".jsonl,.ndjson,.json,.csv,.tsv,.parquet,.txt"
        aria-label={t('upload')}
        className="hidden"
        onChange={(event) => {
          void choose(event.target.files?.[0]);
          event.target.value = '';
        }}
      />
      <Button
        disabled={isAway || sending !== undefined}
        title={t('uploadInto', { folder: shownFolder })}
        onClick={() => input.current?.click()}
      >
        <Upload className="size-3.5" aria-hidden="true" />
        {t('upload')}
      </Button>
      {sending && (
        <div className="flex w-full flex-wrap items-center gap-x-3 gap-y-1.5 text-[13px]">
          <div className="w-40 shrink-0">
            <Progress step={sending.sent} total={sending.size} active />
          </div>
          <span role="status" className="figures [overflow-wrap:anywhere]">
            {t('uploading', { file: sending.file, folder: shownFolder })}{' '}
            <span className="text-muted">
              {format.bytes(sending.sent)} / {format.bytes(sending.size)}
            </span>
          </span>
          <Button
            className="h-7 px-2.5 text-[12.5px]"
            onClick={() => {
              sending.end?.();
              setSending(undefined);
            }}
          >
            {t('cancel')}
          </Button>
          {isAway && <span className="text-warn">{t('uploadPaused')}</span>}
        </div>
      )}
      {error && (
        <div className="w-full">
          <ErrorNote error={error} />
        </div>
      )}
    </>
  );
}
