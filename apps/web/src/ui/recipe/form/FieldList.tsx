'use client';
import type { FormField } from '@anneal/core/protocol/recipeForm';
import { writtenKeys } from '@anneal/core/recipe/edit';
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import { useTranslations } from 'use-intl';
import { recipeKeys } from '../../../i18n/zhCN/recipeKeys.ts';
import { fieldsOf } from './control.ts';
import { FieldRow } from './FieldRow.tsx';
import { isBelow, type Path, useRecipeForm } from './formContext.ts';

/** The keys that are written, that have to be, or that something is wrong with; and all others when they are asked for. */
export function FieldList({
  fields,
  path = [],
  nested,
}: {
  fields: readonly FormField[];
  path?: Path;
  /** Shows what has fields of its own. */
  nested?: (field: FormField, order: readonly string[]) => ReactNode;
}) {
  const t = useTranslations('recipes');
  const { parsed, problems, search } = useRecipeForm();
  const [isWhole, setIsWhole] = useState(false);
  // A field that was emptied stays where it is.
  const [seen, setSeen] = useState<ReadonlySet<string>>(new Set());
  const order = useMemo(() => fields.map(({ key }) => key), [fields]);
  const written = writtenKeys(parsed, path);
  const isInUse = ({ key, isRequired }: FormField) =>
    isRequired || written.includes(key) || problems.some((problem) => isBelow(problem.path, [...path, key]));
  const inUse = fields.filter(isInUse).map(({ key }) => key);
  const unseen = inUse.some((key) => !seen.has(key));
  useEffect(() => {
    if (unseen) setSeen(new Set([...seen, ...inUse]));
  });
  const isShown = (field: FormField) =>
    search === '' ? isWhole || isInUse(field) || seen.has(field.key) : isFound(field, search);
  const shown = fields.filter(isShown);
  return (
    <div>
      {shown.map((field) =>
        'fields' in field.control ? (
          nested?.(field, order)
        ) : (
          <FieldRow key={field.key} field={field} path={[...path, field.key]} order={order} />
        ),
      )}
      {search === '' && (isWhole || shown.length < fields.length) && (
        <button
          type="button"
          aria-expanded={isWhole}
          onClick={() => setIsWhole(!isWhole)}
          className="mt-1 py-1 text-[12.5px] text-ember"
        >
          {isWhole ? t('fewerFields') : t('moreFields', { count: fields.length - shown.length })}
        </button>
      )}
    </div>
  );
}

/** By its name or its meaning, or those of its own fields. */
export function isFound({ key, description, control }: FormField, search: string): boolean {
  if (fieldsOf(control).some((field) => isFound(field, search))) return true;
  return [key, description, recipeKeys[key] ?? ''].some((text) => text.toLowerCase().includes(search.toLowerCase()));
}
