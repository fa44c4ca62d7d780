'use client';
import type { DataSourceName, ListedData } from '@anneal/core/protocol/dataView';
import Link from 'next/link';
import { parseAsString, useQueryStates } from 'nuqs';
import { useMemo } from 'react';
import { useTranslations } from 'use-intl';
import { useDataList } from '../../src/agent/dataSet.ts';
import { buttonClass } from '../../src/ui/Button.tsx';
import { DataSet } from '../../src/ui/data/DataSet.tsx';
import { SourceChooser } from '../../src/ui/data/SourceChooser.tsx';
import { UploadFile } from '../../src/ui/data/UploadFile.tsx';
import { Empty } from '../../src/ui/Empty.tsx';
import { ErrorNote, shownError } from '../../src/ui/ErrorNote.tsx';

export default function DataScreen() {
  const t = useTranslations('data');
  const { data: list, error } = useDataList();
  const [{ recipe, file, model, mapping }, setAddress] = useQueryStates({
    recipe: parseAsString,
    file: parseAsString,
    model: parseAsString,
    mapping: parseAsString,
    row: parseAsString,
    verdict: parseAsString,
    q: parseAsString,
    token: parseAsString,
    length: parseAsString,
  });
  // What was looked at of the one is nothing of the other.
  const choose = (chosen: DataSourceName) =>
    void setAddress({ ...chosen, row: null, verdict: null, q: null, token: null, length: null });
  const name = useMemo(() => sourceOf({ recipe, file, model, mapping }, list), [recipe, file, model, mapping, list]);
  return (
    <>
      <title>{`${t('title')} · Anneal`}</title>
      <div className="mb-5 flex flex-wrap items-center gap-x-4 gap-y-3">
        <h1 className="font-semibold text-[22px] leading-8 tracking-[-0.015em]">{t('title')}</h1>
        {list && name && <SourceChooser list={list} name={name} onChoose={choose} />}
        {list && (
          <UploadFile
            folder={folderFor(name, list)}
            onDone={(key) => choose({ recipe: null, file: key, model: null, mapping: null })}
          />
        )}
      </div>
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

/** What the address names; else the first recipe, else the first file. */
function sourceOf(named: DataSourceName, list: ListedData | undefined): DataSourceName | undefined {
  if (named.recipe !== null) return { recipe: named.recipe, file: null, model: null, mapping: null };
  if (named.file !== null) return { ...named, recipe: null };
  const [recipe] = list?.recipes ?? [];
  if (recipe) return { recipe: recipe.key, file: null, model: null, mapping: null };
  const [file] = list?.files ?? [];
  return file && { recipe: null, file: file.key, model: null, mapping: null };
}

/** Where an uploaded file goes: beside the data of what is shown. */
function folderFor(name: DataSourceName | undefined, { folders }: ListedData): string {
  const shown = name?.recipe ?? name?.file ?? '';
  const project = shown.slice(0, Math.max(0, shown.lastIndexOf('/')));
  const wanted = [project === '' ? 'data' : `${project}/data`, project];
  return wanted.find((folder) => folders.includes(folder)) ?? '';
}
