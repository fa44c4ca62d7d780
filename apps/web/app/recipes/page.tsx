'use client';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import dynamic from 'next/dynamic';
import { parseAsString, useQueryState } from 'nuqs';
import { useEffect } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../src/agent/connection.ts';
import { fetchPart } from '../../src/agent/fetchPart.ts';
import { useHasSocket } from '../../src/agent/hooks.ts';
import { Button } from '../../src/ui/Button.tsx';
import { Empty } from '../../src/ui/Empty.tsx';
import { ErrorNote, shownError } from '../../src/ui/ErrorNote.tsx';
import { ImportRecipe } from '../../src/ui/recipe/ImportRecipe.tsx';
import { NewRecipe } from '../../src/ui/recipe/NewRecipe.tsx';

/** With all that editing together needs, which no other screen does. */
const RecipeEditor = dynamic(() => fetchPart(() => import('../../src/ui/recipe/RecipeEditor.tsx')), { ssr: false });

export default function RecipesScreen() {
  const t = useTranslations('recipes');
  const enabled = useHasSocket();
  const queries = useQueryClient();
  const [wanted, setWanted] = useQueryState('recipe', parseAsString);
  const { data: recipes, error } = useQuery({
    queryKey: ['recipes'],
    queryFn: () => agent().recipes.list.query(),
    enabled,
  });
  const show = async (recipe: string) => {
    await queries.invalidateQueries({ queryKey: ['recipes'] });
    await setWanted(recipe);
  };
  const begin = useMutation({
    mutationFn: () => agent().recipes.begin.mutate(),
    onSuccess: ({ recipe }) => show(recipe),
  });
  const newest = recipes?.[0]?.key;
  const key = wanted ?? newest;
  // What is shown stays, though another recipe becomes the newest.
  useEffect(() => {
    if (wanted === null && newest !== undefined) void setWanted(newest);
  }, [wanted, newest, setWanted]);
  const keys = recipes?.map((recipe) => recipe.key) ?? [];
  // While it is written, a file does not always look like a recipe.
  const shown = key === undefined || keys.includes(key) ? keys : [key, ...keys];
  return (
    <>
      <title>{`${t('title')} · Anneal`}</title>
      <div className="mb-5 flex flex-wrap items-center gap-x-4 gap-y-3">
        <h1 className="font-semibold text-[22px] leading-8 tracking-[-0.015em]">{t('title')}</h1>
        {recipes && recipes.length > 0 && (
          <label className="min-w-0 max-sm:w-full">
            <span className="sr-only">{t('choose')}</span>
            <select
              value={key}
              onChange={(event) => void setWanted(event.target.value)}
              className="h-8 w-full max-w-full rounded-md border border-line bg-surface px-2.5 font-mono text-[12.5px]"
            >
              {shown.map((recipe) => (
                <option key={recipe} value={recipe}>
                  {recipe}
                </option>
              ))}
            </select>
          </label>
        )}
        {recipes && (
          <div className="ml-auto flex gap-2">
            <NewRecipe onCreated={show} />
            <ImportRecipe onImported={show} />
          </div>
        )}
      </div>
      {error && <ErrorNote error={shownError(error)} />}
      {!recipes && !error && (
        <p className="text-muted" role="status">
          {t('loading')}…
        </p>
      )}
      {recipes?.length === 0 && (
        <Empty title={t('empty')}>
          <p>{t('emptyText')}</p>
          <Button look="primary" disabled={begin.isPending} onClick={() => begin.mutate()}>
            {t('begin')}
          </Button>
          {begin.error && <ErrorNote error={shownError(begin.error)} />}
        </Empty>
      )}
      {recipes && recipes.length > 0 && key && <RecipeEditor key={key} recipe={key} />}
    </>
  );
}
