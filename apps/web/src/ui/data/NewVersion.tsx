'use client';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Check } from 'lucide-react';
import Link from 'next/link';
import { Dialog } from 'radix-ui';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useHasSocket } from '../../agent/hooks.ts';
import { useIsOff } from '../../agent/useMe.ts';
import { Button, buttonClass } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';

/** A version that was just made: where it is, and the recipes that could train on it. Keys of the workspace. */
export function NewVersion({ file, version }: { file: string; version: string }) {
  const t = useTranslations('rowEditor');
  const enabled = useHasSocket();
  const { data: recipes, error } = useQuery({
    queryKey: ['recipes-of', file, version],
    queryFn: () => agent().data.recipesOf.query({ file }),
    staleTime: Number.POSITIVE_INFINITY,
    enabled,
  });
  return (
    <>
      <p role="status">
        {t('made')} <span className="font-mono text-[12.5px] [overflow-wrap:anywhere]">{version}</span>
      </p>
      <p className="text-[13px] text-muted">{t('unchanged', { file })}</p>
      {error && <ErrorNote error={shownError(error)} />}
      {recipes?.length === 0 && <p className="text-[13px] text-muted">{t('noRecipe')}</p>}
      {recipes && recipes.length > 0 && (
        <ul className="grid gap-2">
          {recipes.map(({ recipe }) => (
            <li key={recipe}>
              <UseInRecipe recipe={recipe} file={file} version={version} />
            </li>
          ))}
        </ul>
      )}
      <div className="flex flex-wrap justify-end gap-2">
        <Link href={`/data?file=${encodeURIComponent(version)}`} className={buttonClass()}>
          {t('look')}
        </Link>
        <Dialog.Close className={buttonClass()}>{t('close')}</Dialog.Close>
      </div>
    </>
  );
}

function UseInRecipe({ recipe, file, version }: { recipe: string; file: string; version: string }) {
  const t = useTranslations('rowEditor');
  const queries = useQueryClient();
  const isOff = useIsOff('editor');
  const use = useMutation({
    mutationFn: () => agent().data.useVersion.mutate({ recipe, file, version }),
    onSuccess: () => queries.removeQueries({ queryKey: ['data'] }),
  });
  if (use.error) return <ErrorNote error={shownError(use.error)} />;
  if (!use.isSuccess) {
    return (
      <Button disabled={isOff || use.isPending} onClick={() => use.mutate()}>
        {t('use', { recipe })}
      </Button>
    );
  }
  return (
    <p className="flex items-center gap-1.5 text-[13px]">
      <Check className="size-4 text-good" aria-hidden="true" />
      <span role="status">{t('used', { recipe })}</span>
      <Link href={`/recipes?recipe=${encodeURIComponent(recipe)}`} className="text-ember underline underline-offset-2">
        {t('toRecipe')}
      </Link>
    </p>
  );
}
