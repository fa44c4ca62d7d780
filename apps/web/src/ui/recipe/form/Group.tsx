'use client';
import type { FormField } from '@anneal/core/protocol/recipeForm';
import { readValue } from '@anneal/core/recipe/edit';
import { Plus, X } from 'lucide-react';
import { useTranslations } from 'use-intl';
import { useLocale } from '../../../i18n/locale.tsx';
import { recipeKeys } from '../../../i18n/zhCN/recipeKeys.ts';
import { Button, IconButton } from '../../Button.tsx';
import { Explained } from '../../Explained.tsx';
import { fieldsOf } from './control.ts';
import { FieldList } from './FieldList.tsx';
import { useRecipeForm } from './formContext.ts';
import { InText } from './InText.tsx';
import { OwnProblems } from './OwnProblems.tsx';
import { UnknownKeys } from './UnknownKeys.tsx';

/** A key whose value is a mapping, with a field for each of its keys. */
export function Group({ field, order }: { field: FormField; order: readonly string[] }) {
  const t = useTranslations('recipes');
  const locale = useLocale();
  const { parsed, isReadOnly, search, write, remove } = useRecipeForm();
  const { key, control } = field;
  const fields = fieldsOf(control);
  const value = readValue(parsed, [key])?.value;
  const isWritten = value !== undefined && value !== null;
  const isMapping = isWritten && typeof value === 'object' && !Array.isArray(value);
  const first = fields.find(({ isRequired }) => isRequired);
  const text = (locale === 'zh-CN' && recipeKeys[key]) || field.description;
  return (
    <div className="grid gap-3 border-line border-t py-3 first:border-t-0">
      <div className="min-w-0">
        <span className="flex min-h-6 items-center gap-1 font-medium font-mono text-[12.5px]">
          {key}
          {isMapping && (
            <IconButton
              label={t('removeKey', { key })}
              disabled={isReadOnly}
              onClick={() => remove([key])}
              className="size-6"
            >
              <X className="size-3.5" />
            </IconButton>
          )}
        </span>
        <p className="mt-0.5 text-[12.5px] text-muted leading-[1.45]">
          <Explained text={text} />
        </p>
      </div>
      <OwnProblems path={[key]} />
      {isMapping && (
        <fieldset aria-label={key} className="min-w-0 rounded-md border border-line px-3 pb-2">
          <FieldList fields={fields} path={[key]} />
          {search === '' && <UnknownKeys known={fields} path={[key]} />}
        </fieldset>
      )}
      {isWritten && !isMapping && <InText path={[key]} />}
      {!isWritten && (
        <Button
          disabled={isReadOnly}
          onClick={() => write([key], first ? `\n  ${first.key}: []` : '{}', order)}
          className="h-7 justify-self-start px-2.5 text-[12.5px]"
        >
          <Plus className="size-3.5" aria-hidden="true" />
          {t('addKey', { key })}
        </Button>
      )}
    </div>
  );
}
