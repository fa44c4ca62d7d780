'use client';
import type { ColumnMapping } from '@anneal/core/protocol/columns';
import { type DataSourceName, hubEntry } from '@anneal/core/protocol/dataView';
import { useMutation } from '@tanstack/react-query';
import Link from 'next/link';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useDataList } from '../../agent/dataSet.ts';
import { useMay } from '../../agent/useMe.ts';
import { Button } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { pathFrom, toYaml } from './mappingText.ts';

/** What a recipe has to say to read the data so: to copy, or written into one. */
export function UseMapping({
  name: { file, hub },
  mapping,
}: {
  name: Pick<DataSourceName, 'file' | 'hub'>;
  mapping: ColumnMapping;
}) {
  const t = useTranslations('mapping');
  const may = useMay('editor');
  const { data: list } = useDataList();
  const recipes = list?.recipes.map(({ key }) => key) ?? [];
  const [wanted, setWanted] = useState<string>();
  const recipe = wanted ?? recipes[0];
  const [isCopied, setIsCopied] = useState(false);
  const pulled = list?.hub.find(({ key }) => key === hub);
  const entry = pulled
    ? hubEntry(pulled)
    : { path: recipe === undefined ? (file ?? '') : pathFrom(recipe, file ?? '') };
  const yaml = `datasets:\n${toYaml(entry, mapping)}\n`;
  const add = useMutation({
    mutationFn: (into: string) => agent().recipes.addDataset.mutate({ recipe: into, file, hub, mapping }),
  });
  const copy = async () => {
    await navigator.clipboard.writeText(yaml);
    setIsCopied(true);
    setTimeout(() => setIsCopied(false), 1500);
  };
  return (
    <div className="grid gap-2">
      <span className="label">{t('inRecipe')}</span>
      <pre tabIndex={0} className="overflow-x-auto rounded-md bg-sunken p-2.5 font-mono text-[12px]">
        {yaml}
      </pre>
      <div className="flex flex-wrap items-center gap-2">
        <Button onClick={copy}>{isCopied ? t('copied') : t('copy')}</Button>
        {recipe !== undefined && (
          <>
            <select
              aria-label={t('recipe')}
              value={recipe}
              onChange={({ target }) => {
                setWanted(target.value);
                add.reset();
              }}
              className="h-8 min-w-0 max-w-full rounded-md border border-line bg-paper px-2.5 font-mono text-[12.5px]"
            >
              {recipes.map((key) => (
                <option key={key}>{key}</option>
              ))}
            </select>
            <Button disabled={!may || add.isPending || add.isSuccess} onClick={() => add.mutate(recipe)}>
              {t('add')}
            </Button>
          </>
        )}
        {add.isSuccess && recipe !== undefined && (
          <span role="status">
            {t('added')}{' '}
            <Link href={`/recipes?recipe=${encodeURIComponent(recipe)}`} className="text-ember underline">
              {t('toRecipe')}
            </Link>
          </span>
        )}
      </div>
      {add.error && <ErrorNote error={shownError(add.error)} />}
    </div>
  );
}
