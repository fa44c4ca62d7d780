'use client';
import type { SynthesisRequest } from '@anneal/core/protocol/synthesis';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Sparkles } from 'lucide-react';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useHasSocket } from '../../agent/hooks.ts';
import { isRunning, useJobsOf } from '../../agent/jobs.ts';
import { useIsOff } from '../../agent/useMe.ts';
import { Button } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { JobProgress } from '../jobs/JobProgress.tsx';
import { MadeRows } from './MadeRows.tsx';
import { SynthesisText } from './SynthesisText.tsx';

const select = 'h-8 min-w-0 max-w-full rounded-md border border-line bg-paper px-2.5 font-mono text-[12.5px]';

/** Rows from documents or other rows, by a recipe of the folder that names whom to ask. */
export function MakeRows({ onOpen }: { onOpen: (file: string) => void }) {
  const t = useTranslations('makeRows');
  const isOff = useIsOff('operator');
  const [chosen, setChosen] = useState<string>();
  const [overwrite, setOverwrite] = useState(false);
  const { data: recipes, error } = useQuery({
    queryKey: ['synthesis'],
    queryFn: () => agent().synthesis.list.query(),
    enabled: useHasSocket(),
  });
  const recipe = chosen ?? recipes?.[0]?.key;
  const job = useJobsOf('synthesize').find(({ subject }) => subject === recipe);
  const start = useMutation({ mutationFn: (request: SynthesisRequest) => agent().synthesis.start.mutate(request) });
  const isBusy = isOff || start.isPending || (job !== undefined && isRunning(job));
  const failure = error ?? start.error;
  return (
    <section
      aria-label={t('title')}
      className="mb-5 grid gap-3 rounded-lg border border-line bg-surface p-4 text-[13px]"
    >
      <div className="grid gap-1">
        <h2 className="font-medium">{t('title')}</h2>
        <p className="text-muted">{t('text')}</p>
      </div>
      {failure && <ErrorNote error={shownError(failure)} />}
      {recipes && (
        <SynthesisText
          key={recipe ?? ''}
          recipe={recipe}
          others={
            recipes.length > 0 && (
              <label className="flex min-w-0 items-center gap-2">
                <span className="label shrink-0">{t('recipe')}</span>
                <select value={recipe} onChange={({ target }) => setChosen(target.value)} className={select}>
                  {recipes.map(({ key }) => (
                    <option key={key}>{key}</option>
                  ))}
                </select>
              </label>
            )
          }
          onSaved={setChosen}
        />
      )}
      {recipe !== undefined && (
        <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
          <Button look="primary" disabled={isBusy} onClick={() => start.mutate({ recipe, overwrite })}>
            <Sparkles className="size-3.5" aria-hidden="true" />
            {t(job?.state === 'cancelled' ? 'goOn' : 'make')}
          </Button>
          <Button disabled={isBusy} onClick={() => start.mutate({ recipe, dryRun: true })}>
            {t('estimate')}
          </Button>
          <label className="flex items-center gap-2">
            <input type="checkbox" checked={overwrite} onChange={({ target }) => setOverwrite(target.checked)} />
            {t('overwrite')}
          </label>
        </div>
      )}
      {job && isRunning(job) && <JobProgress job={job} />}
      {job?.state === 'cancelled' && <p className="text-muted">{t('stopped')}</p>}
      {job?.error && <ErrorNote error={job.error} />}
      {job?.result && <MadeRows key={job.id} result={job.result} onOpen={onOpen} />}
    </section>
  );
}
