'use client';
import { readValue } from '@anneal/core/recipe/edit';
import { useTranslations } from 'use-intl';
import { type Path, useRecipeForm } from './formContext.ts';

export const linkClass =
  'text-[12.5px] text-ember underline decoration-ember/40 underline-offset-2 hover:decoration-ember disabled:text-muted disabled:no-underline';

/** Leads to where a value stands in the text. */
export function InText({ id, path }: { id?: string; path: Path }) {
  const t = useTranslations('recipes');
  const { parsed, show } = useRecipeForm();
  if (!readValue(parsed, path)) return null;
  return (
    <button
      id={id}
      type="button"
      onClick={() => show(path)}
      className={`shrink-0 whitespace-nowrap py-1.5 ${linkClass}`}
    >
      {t('inText')}
    </button>
  );
}
