'use client';
import type { StudioExport } from '@anneal/core/protocol/exports';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../../agent/connection.ts';
import type { RunFacts } from '../../../agent/liveRun.ts';
import { Confirm } from '../../Confirm.tsx';
import { ErrorNote, shownError } from '../../ErrorNote.tsx';
import { useFormat } from '../../format.ts';
import { Nothing } from '../Samples.tsx';
import { ExportRow, sizeOf } from './ExportRow.tsx';
import { PushDialog } from './PushDialog.tsx';

/** What was exported and still lies there, newest first. */
export function ExportList({
  run,
  exports,
  isChecking,
  isPushing,
}: {
  run: RunFacts;
  exports: readonly StudioExport[];
  isChecking: boolean;
  isPushing: boolean;
}) {
  const t = useTranslations('exports');
  const format = useFormat();
  const queries = useQueryClient();
  const [doomed, setDoomed] = useState<StudioExport>();
  const [pushed, setPushed] = useState<StudioExport>();
  const named = (key: string) => ({ run: run.key, exports: [key] });
  const check = useMutation({ mutationFn: (key: string) => agent().exports.check.mutate(named(key)) });
  const remove = useMutation({
    mutationFn: (key: string) => agent().exports.remove.mutate(named(key)),
    onSettled: () => queries.invalidateQueries({ queryKey: ['exports', run.key] }),
  });
  const failure = check.error ?? remove.error;
  return (
    <section aria-label={t('exported')}>
      {failure && (
        <div className="p-4">
          <ErrorNote error={shownError(failure)} />
        </div>
      )}
      {exports.length === 0 && <Nothing title={t('none')} text={t('noneText')} />}
      <ul className="divide-y divide-line">
        {exports.toReversed().map((exported) => (
          <ExportRow
            key={exported.key}
            run={run}
            exported={exported}
            onCheck={isChecking ? undefined : () => check.mutate(exported.key)}
            onPush={isPushing ? undefined : () => setPushed(exported)}
            onDelete={() => setDoomed(exported)}
          />
        ))}
      </ul>
      {pushed && <PushDialog run={run} exported={pushed} onClose={() => setPushed(undefined)} />}
      <Confirm
        open={doomed !== undefined}
        onOpenChange={(open) => !open && setDoomed(undefined)}
        title={t('delete')}
        text={doomed ? t('deleteConfirm', { name: doomed.key, bytes: format.bytes(sizeOf(doomed)) }) : ''}
        action={t('delete')}
        onConfirm={() => doomed && remove.mutate(doomed.key)}
      />
    </section>
  );
}
