'use client';
import type { FormField } from '@anneal/core/protocol/recipeForm';
import { readValue } from '@anneal/core/recipe/edit';
import { Plus, X } from 'lucide-react';
import { useTranslations } from 'use-intl';
import { Button, IconButton } from '../../Button.tsx';
import { fieldsOf } from './control.ts';
import { FieldList } from './FieldList.tsx';
import { useRecipeForm } from './formContext.ts';
import { InText } from './InText.tsx';
import { OwnProblems } from './OwnProblems.tsx';
import { UnknownKeys } from './UnknownKeys.tsx';

/** A list of data sets, each with fields of its own. */
export function Datasets({ field, order }: { field: FormField; order: readonly string[] }) {
  const t = useTranslations('recipes');
  const { parsed, isReadOnly, search, write, remove, append } = useRecipeForm();
  const { key, control } = field;
  const fields = fieldsOf(control);
  const value = readValue(parsed, [key])?.value;
  const items = Array.isArray(value) ? value : [];
  const add = () => (items.length > 0 ? append([key], 'path: ""') : write([key], '\n  - path: ""', order));
  const take = (i: number) => (items.length === 1 ? remove([key]) : remove([key, i]));
  return (
    <div className="grid gap-3 border-line border-t py-3 first:border-t-0">
      <span className="font-medium font-mono text-[12.5px]">{key}</span>
      {items.map((_, i) => {
        const path = [key, i];
        return (
          <fieldset key={path.join('.')} className="min-w-0 rounded-md border border-line px-3 pb-2">
            <legend className="flex items-center gap-1 px-1">
              <span className="label">{t('dataset', { number: i + 1 })}</span>
              <IconButton
                label={t('removeDataset', { number: i + 1 })}
                disabled={isReadOnly}
                onClick={() => take(i)}
                className="size-6"
              >
                <X className="size-3.5" />
              </IconButton>
            </legend>
            <OwnProblems path={path} />
            <FieldList fields={fields} path={path} />
            {search === '' && <UnknownKeys known={fields} path={path} />}
          </fieldset>
        );
      })}
      {value === undefined || value === null || Array.isArray(value) ? (
        <Button disabled={isReadOnly} onClick={add} className="h-7 justify-self-start px-2.5 text-[12.5px]">
          <Plus className="size-3.5" aria-hidden="true" />
          {t('addDataset', { key })}
        </Button>
      ) : (
        <InText path={[key]} />
      )}
    </div>
  );
}
