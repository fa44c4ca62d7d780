'use client';
/** An answer, as it should have been, becomes a row of a data set: in a new version of its file. */
import { useMutation } from '@tanstack/react-query';
import { Dialog } from 'radix-ui';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useDataList } from '../../agent/dataSet.ts';
import { useJobsOf } from '../../agent/jobs.ts';
import { useIsOff } from '../../agent/useMe.ts';
import { Button, buttonClass } from '../Button.tsx';
import { NewVersion } from '../data/NewVersion.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { JobProgress } from '../jobs/JobProgress.tsx';

export interface SavedAnswer {
  system: string;
  question: string;
  answer: string;
}

export function SaveAsRow({
  said,
  hasTools,
  onClose,
}: {
  said: SavedAnswer;
  /** The model knew of tools, of which the row does not tell. */
  hasTools: boolean;
  onClose: () => void;
}) {
  const t = useTranslations('chat');
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/30" />
        <Dialog.Content className="fixed top-[8%] left-1/2 z-50 grid max-h-[84dvh] w-[min(42rem,calc(100vw-2rem))] -translate-x-1/2 grid-cols-[minmax(0,1fr)] gap-3 overflow-y-auto rounded-xl border border-line bg-surface p-5 shadow-xl outline-none">
          <Dialog.Title className="font-semibold text-[15px]">{t('saveRow')}</Dialog.Title>
          <Dialog.Description className="text-[13px] text-muted">{t('saveRowText')}</Dialog.Description>
          {hasTools && <p className="text-[13px] text-warn">{t('saveRowTools')}</p>}
          <Saving said={said} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

const parts = ['system', 'question', 'answer'] as const;

function Saving({ said }: { said: SavedAnswer }) {
  const t = useTranslations('chat');
  const [row, setRow] = useState(said);
  const { data: list, error } = useDataList();
  const isOff = useIsOff('editor');
  const files = list?.files.map(({ key }) => key).filter((key) => /\.(jsonl|ndjson|json)$/.test(key)) ?? [];
  const [wanted, setWanted] = useState<string>();
  const file = wanted ?? files[0];
  const add = useMutation({ mutationFn: (into: string) => agent().data.addRow.mutate({ file: into, row }) });
  const job = useJobsOf('editRow').find(({ id }) => id === add.data?.job);
  const failed = (add.error ?? error) ? shownError(add.error ?? error) : job?.error;
  if (job?.result && add.variables) return <NewVersion file={add.variables} version={job.result.file} />;
  const isWorking = add.isPending || (add.data !== undefined && job?.ended == null);
  const isEmpty = row.question.trim() === '' || row.answer.trim() === '';
  return (
    <form
      className="grid gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (file !== undefined) add.mutate(file);
      }}
    >
      {parts.map((part) => (
        <label key={part} className="grid gap-1">
          <span className="label">{t(`rowPart.${part}`)}</span>
          <textarea
            value={row[part]}
            rows={part === 'answer' ? 6 : 2}
            onChange={({ target }) => setRow({ ...row, [part]: target.value })}
            className="w-full resize-y rounded-md border border-line bg-paper px-3 py-2 text-[13px]"
          />
        </label>
      ))}
      <label className="grid gap-1">
        <span className="label">{t('rowFile')}</span>
        <select
          value={file ?? ''}
          onChange={({ target }) => setWanted(target.value)}
          className="h-8 w-full min-w-0 rounded-md border border-line bg-paper px-2.5 font-mono text-[12.5px]"
        >
          {files.map((key) => (
            <option key={key}>{key}</option>
          ))}
        </select>
      </label>
      {list && files.length === 0 && <p className="text-[13px] text-warn">{t('rowNoFile')}</p>}
      {failed && <ErrorNote error={failed} />}
      {isWorking && job && <JobProgress job={job} />}
      <div className="flex justify-end gap-2">
        <Dialog.Close className={buttonClass()}>{t('cancel')}</Dialog.Close>
        <Button type="submit" look="primary" disabled={isOff || isWorking || isEmpty || file === undefined}>
          {t('rowSave')}
        </Button>
      </div>
    </form>
  );
}
