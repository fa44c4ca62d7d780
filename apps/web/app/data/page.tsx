'use client';
import type { DataSourceName, ListedData } from '@anneal/core/protocol/dataView';
import { useQueryClient } from '@tanstack/react-query';
import { CloudDownload, Sparkles } from 'lucide-react';
import dynamic from 'next/dynamic';
import Link from 'next/link';
import { parseAsString, useQueryStates } from 'nuqs';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useTranslations } from 'use-intl';
import { useDataList } from '../../src/agent/dataSet.ts';
import { fetchPart } from '../../src/agent/fetchPart.ts';
import { isRunning, useJobsOf } from '../../src/agent/jobs.ts';
import { pullKeys } from '../../src/agent/pullAddress.ts';
import { Button, buttonClass } from '../../src/ui/Button.tsx';
import { DataSet } from '../../src/ui/data/DataSet.tsx';
import { SourceChooser } from '../../src/ui/data/SourceChooser.tsx';
import { UploadFile } from '../../src/ui/data/UploadFile.tsx';
import { Empty } from '../../src/ui/Empty.tsx';
import { ErrorNote, shownError } from '../../src/ui/ErrorNote.tsx';

// For who asks for it alone.
const MakeRows = dynamic(async () => (await fetchPart(() => import('../../src/ui/data/MakeRows.tsx'))).MakeRows, {
  ssr: false,
});
const FromHub = dynamic(async () => (await fetchPart(() => import('../../src/ui/data/FromHub.tsx'))).FromHub, {
  ssr: false,
});

export default function DataScreen() {
  const t = useTranslations('data');
  const { data: list, error } = useDataList();
  const [{ recipe, file, hub, model, mapping, pull }, setAddress] = useQueryStates({
    recipe: parseAsString,
    file: parseAsString,
    hub: parseAsString,
    model: parseAsString,
    mapping: parseAsString,
    row: parseAsString,
    verdict: parseAsString,
    q: parseAsString,
    token: parseAsString,
    length: parseAsString,
    ...pullKeys,
  });
  // What was looked at of the one is nothing of the other.
  const choose = useCallback((chosen: DataSourceName) => void setAddress({ ...nowhere, ...chosen }), [setAddress]);
  const name = useMemo(
    () => sourceOf({ recipe, file, hub, model, mapping }, list),
    [recipe, file, hub, model, mapping, list],
  );
  const isArriving = useFreshList();
  const [wish, setWish] = useState<'hub' | 'make' | null>();
  const shown = wish === undefined && (isArriving || pull !== null) ? 'hub' : wish;
  const show = (panel: 'hub' | 'make') => setWish(shown === panel ? null : panel);
  const openHub = useCallback(
    (key: string) => {
      setWish(null);
      choose({ ...noData, hub: key });
    },
    [choose],
  );
  return (
    <>
      <title>{`${t('title')} · Anneal`}</title>
      <div className="mb-5 flex flex-wrap items-center gap-x-4 gap-y-3 max-sm:gap-x-2">
        <h1 className="font-semibold text-[22px] max-sm:mr-auto leading-8 tracking-[-0.015em]">{t('title')}</h1>
        {list && name && <SourceChooser list={list} name={name} onChoose={choose} />}
        {list && (
          <>
            <Button className="ml-auto" aria-expanded={shown === 'make'} onClick={() => show('make')}>
              <Sparkles className="size-3.5" aria-hidden="true" />
              {t('makeRows')}
            </Button>
            <Button aria-expanded={shown === 'hub'} onClick={() => show('hub')}>
              <CloudDownload className="size-3.5" aria-hidden="true" />
              {t('fromHub')}
            </Button>
          </>
        )}
        {list && <UploadFile folder={folderFor(name, list)} onDone={(key) => choose({ ...noData, file: key })} />}
      </div>
      {list && shown === 'hub' && <FromHub here={list.hub} onOpen={openHub} />}
      {list && shown === 'make' && <MakeRows onOpen={(key) => choose({ ...noData, file: key })} />}
      {error && <ErrorNote error={shownError(error)} />}
      {!list && !error && (
        <p className="text-muted" role="status">
          {t('loading')}…
        </p>
      )}
      {list && !name && (
        <Empty title={t('empty')}>
          <p>{t('emptyText')}</p>
          <Link href="/recipes" className={buttonClass('primary')}>
            {t('emptyAction')}
          </Link>
        </Empty>
      )}
      {name && list && <DataSet key={JSON.stringify(name)} name={name} />}
    </>
  );
}

/** Nothing that is looked at, and no download that is asked for. */
const nowhere = {
  row: null,
  verdict: null,
  q: null,
  token: null,
  length: null,
  pull: null,
  revision: null,
  name: null,
  split: null,
  files: null,
};

const noData: DataSourceName = { recipe: null, file: null, hub: null, model: null, mapping: null };

/** Asks for the list again when a download has ended. Tells whether one goes on. */
function useFreshList(): boolean {
  const queries = useQueryClient();
  const pulls = useJobsOf('pullData');
  const jobs = [...pulls, ...useJobsOf('synthesize')];
  const ended = jobs
    .filter((job) => !isRunning(job))
    .map(({ id }) => id)
    .join();
  useEffect(() => {
    if (ended !== '') void queries.invalidateQueries({ queryKey: ['data-list'] });
  }, [queries, ended]);
  return pulls.some(isRunning);
}

/** What the address names; else the first recipe, else the first file, else the first of a hub. */
function sourceOf(named: DataSourceName, list: ListedData | undefined): DataSourceName | undefined {
  if (named.recipe !== null) return { ...noData, recipe: named.recipe };
  if (named.file !== null) return { ...named, hub: null };
  if (named.hub !== null) return named;
  const [recipe] = list?.recipes ?? [];
  if (recipe) return { ...noData, recipe: recipe.key };
  const [file] = list?.files ?? [];
  if (file) return { ...noData, file: file.key };
  const hub = list?.hub.find(({ isWhole }) => isWhole);
  return hub && { ...noData, hub: hub.key };
}

/** Where an uploaded file goes: beside the data of what is shown. */
function folderFor(name: DataSourceName | undefined, { folders }: ListedData): string {
  const shown = name?.recipe ?? name?.file ?? '';
  const project = shown.slice(0, Math.max(0, shown.lastIndexOf('/')));
  const wanted = [project === '' ? 'data' : `${project}/data`, project];
  return wanted.find((folder) => folders.includes(folder)) ?? '';
}
