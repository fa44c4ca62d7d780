'use client';
import type { HubData } from '@anneal/core/protocol/dataView';
import type { PullRequest } from '@anneal/core/protocol/models';
import { useMutation } from '@tanstack/react-query';
import { Download } from 'lucide-react';
import { useQueryStates } from 'nuqs';
import { useEffect, useId, useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { isRunning, useJobsOf } from '../../agent/jobs.ts';
import { pullKeys } from '../../agent/pullAddress.ts';
import { useIsOff } from '../../agent/useMe.ts';
import { Button } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';
import { ModelJobs } from '../models/ModelJobs.tsx';
import { hubTitle } from './hubTitle.ts';

const field =
  'h-8 w-full min-w-0 rounded-md border border-line bg-paper px-2.5 font-mono text-[12.5px] placeholder:text-muted';
const nothing = { id: '', name: '', split: '', revision: '', files: '' };

/** Rows of a data set of a hub: downloaded by its name, and what was downloaded before. */
export function FromHub({ here, onOpen }: { here: readonly HubData[]; onOpen: (key: string) => void }) {
  const t = useTranslations('hubData');
  const hint = useId();
  const isOff = useIsOff('operator');
  const jobs = useJobsOf('pullData');
  const [{ pull: asked, ...selection }] = useQueryStates(pullKeys);
  const [wanted, setWanted] = useState(asked === null ? nothing : filled({ id: asked, ...selection }));
  const forget = useMutation({ mutationFn: (job: string) => agent().jobs.forget.mutate({ job }) });
  const pull = useMutation({ mutationFn: (request: PullRequest) => agent().models.pull.mutate(request) });
  const mine = jobs.find(({ id }) => id === pull.data?.job);
  const arrived = mine?.result?.key;
  useEffect(() => {
    if (arrived !== undefined) onOpen(arrived);
  }, [arrived, onOpen]);
  const begin = (request: PullRequest) => {
    // What was wrong with it is mended, or said anew.
    if (mine?.state === 'failed') forget.mutate(mine.id);
    pull.mutate(request);
  };
  const text = (key: keyof typeof nothing, placeholder: string, about?: string) => (
    <label className="grid min-w-0 gap-1">
      <span className="label">{t(key)}</span>
      <input
        value={wanted[key]}
        onChange={({ target }) => setWanted({ ...wanted, [key]: target.value })}
        placeholder={placeholder}
        autoComplete="off"
        spellCheck={false}
        aria-describedby={about}
        className={field}
      />
    </label>
  );
  return (
    <section aria-label={t('title')} className="mb-5 grid gap-4 rounded-lg border border-line bg-surface p-4">
      <form
        className="grid gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          begin(requestOf(wanted));
        }}
      >
        <h2 className="font-medium text-[13px]">{t('title')}</h2>
        <div className="grid items-end gap-3 sm:grid-cols-2 lg:grid-cols-[minmax(0,2fr)_repeat(4,minmax(0,1fr))_auto]">
          {text('id', 'trl-lib/Capybara', hint)}
          {text('name', t('default'))}
          {text('split', t('onlyOne'))}
          {text('revision', 'main')}
          {text('files', t('all'))}
          <Button type="submit" look="primary" disabled={isOff || wanted.id.trim() === '' || pull.isPending}>
            <Download className="size-3.5" aria-hidden="true" />
            {t('get')}
          </Button>
        </div>
        <p id={hint} className="text-[12.5px] text-muted">
          {t('hint')}
        </p>
      </form>
      {pull.error && <ErrorNote error={shownError(pull.error)} />}
      <ModelJobs jobs={jobs} />
      <Here
        here={here.filter(
          (data) => data.isWhole || !jobs.some((job) => isRunning(job) && job.subject === hubTitle(data)),
        )}
        isOff={isOff || pull.isPending}
        isQuiet={!jobs.some(isRunning)}
        onOpen={onOpen}
        onContinue={({ id, name, split, revision }) =>
          begin(requestOf(filled({ id, name, split, revision, files: null })))
        }
      />
    </section>
  );
}

function Here({
  here,
  isOff,
  isQuiet,
  onOpen,
  onContinue,
}: {
  here: readonly HubData[];
  isOff: boolean;
  /** Nothing is under way. */
  isQuiet: boolean;
  onOpen: (key: string) => void;
  onContinue: (data: HubData) => void;
}) {
  const t = useTranslations('hubData');
  const format = useFormat();
  if (here.length === 0) return isQuiet && <p className="text-[13px] text-muted">{t('none')}</p>;
  return (
    <ul aria-label={t('here')} className="divide-y divide-line border-line border-t text-[13px]">
      {here.map((data) => {
        const { key, isWhole, bytes, source, commit, license, files } = data;
        const name = hubTitle(data);
        const facts = isWhole
          ? [format.bytes(bytes), source, commit?.slice(0, 12), license, files?.join(', ')]
          : [t('notWhole', { bytes: format.bytes(bytes) })];
        return (
          <li key={key} data-hub={key} className="flex flex-wrap items-center gap-x-4 gap-y-1 py-2">
            <div className="min-w-0 grow [overflow-wrap:anywhere]">
              <span className="font-mono text-[12.5px]">{name}</span>
              <span className="figures block text-[12.5px] text-muted">{facts.filter(Boolean).join(' · ')}</span>
            </div>
            {isWhole ? (
              <Button aria-label={t('openOf', { name })} onClick={() => onOpen(key)}>
                {t('open')}
              </Button>
            ) : (
              <Button aria-label={t('resumeOf', { name })} disabled={isOff} onClick={() => onContinue(data)}>
                {t('resume')}
              </Button>
            )}
          </li>
        );
      })}
    </ul>
  );
}

const given = (text: string) => (text.trim() === '' ? undefined : text.trim());

function filled(of: Readonly<Record<keyof typeof nothing, string | null>>): typeof nothing {
  return Object.fromEntries(Object.entries(of).map(([key, text]) => [key, text ?? ''])) as typeof nothing;
}

function requestOf(written: typeof nothing): PullRequest {
  const files = written.files.split(',').flatMap((file) => given(file) ?? []);
  return {
    model: written.id.trim(),
    revision: given(written.revision),
    data: { name: given(written.name), split: given(written.split), ...(files.length > 0 && { files }) },
  };
}
