'use client';
import type { FormSection } from '@anneal/core/protocol/recipeForm';
import type { RecipeCheck } from '@anneal/core/protocol/recipes';
import { appendItem, parseText, readValue, removeValue, setValue, type TextEdit } from '@anneal/core/recipe/edit';
import { type KeyboardEvent, useMemo, useState } from 'react';
import { useTranslations } from 'use-intl';
import { useLocale } from '../../../i18n/locale.tsx';
import { recipeSections } from '../../../i18n/zhCN/recipeKeys.ts';
import { ErrorNote, shownError } from '../../ErrorNote.tsx';
import { SearchField } from '../../SearchField.tsx';
import type { LiveRecipe } from '../live/liveRecipe.ts';
import { Datasets } from './Datasets.tsx';
import { FieldList, isFound } from './FieldList.tsx';
import { type RecipeFormContext, RecipeFormProvider } from './formContext.ts';
import { Group } from './Group.tsx';
import { UnknownKeys } from './UnknownKeys.tsx';

/** The keys of a recipe as fields. Each change is one of the text alone, at the place of its value. */
export function RecipeForm({
  sections,
  error,
  live,
  text,
  problems,
  values,
  isReadOnly,
  onGo,
}: {
  /** Undefined until they have come. */
  sections: readonly FormSection[] | undefined;
  error: unknown;
  live: LiveRecipe;
  text: string;
  problems: RecipeCheck['problems'];
  values: RecipeCheck['values'];
  isReadOnly: boolean;
  /** To a place of the text; both count from 1. */
  onGo: (line: number, column: number) => void;
}) {
  const t = useTranslations('recipes');
  const [search, setSearch] = useState('');
  const parsed = useMemo(() => parseText(text), [text]);
  if (error) return <ErrorNote error={shownError(error)} />;
  if (!sections) {
    return (
      <p role="status" className="p-4 text-muted">
        {t('opening')}
      </p>
    );
  }
  const keys = sections.flatMap(({ fields }) => fields.map(({ key }) => key));
  const apply = (edit: TextEdit | undefined): boolean => {
    if (edit) live.edit(edit);
    return edit !== undefined;
  };
  const context: RecipeFormContext = {
    parsed,
    problems,
    values,
    isReadOnly,
    search,
    // A key's place is among those of all sections.
    write: (path, source, order) =>
      apply(setValue(live.text.toString(), path, source, path.length === 1 ? keys : order)),
    remove: (path) => apply(removeValue(live.text.toString(), path)),
    append: (path, source) => apply(appendItem(live.text.toString(), path, source)),
    endStep: () => live.undo.stopCapturing(),
    show: (path) => {
      const written = readValue(parseText(live.text.toString()), path);
      if (written) onGo(written.line, written.column);
    },
  };
  return (
    <RecipeFormProvider value={context}>
      <div className="border-line border-b px-4 py-3">
        <SearchField value={search} onChange={setSearch} label={t('findKey')} />
      </div>
      {parsed.document ? (
        <div className="@container grid gap-6 p-4" onKeyDown={(event) => undoByKeys(event, live)}>
          <Sections sections={sections} search={search} />
        </div>
      ) : (
        <p role="alert" className="p-4 text-bad">
          {t('notYaml')}{' '}
          <button
            type="button"
            className="text-ember underline"
            onClick={() => onGo(problems[0]?.line ?? 1, problems[0]?.column ?? 1)}
          >
            {t('inText')}
          </button>
        </p>
      )}
    </RecipeFormProvider>
  );
}

function Sections({ sections, search }: { sections: readonly FormSection[]; search: string }) {
  const t = useTranslations('recipes');
  const locale = useLocale();
  const found = sections.filter(({ fields }) => search === '' || fields.some((field) => isFound(field, search)));
  return (
    <>
      {found.map(({ title, fields }) => {
        const name = (locale === 'zh-CN' && recipeSections[title]) || title;
        return (
          <section key={title} aria-label={name}>
            <h2 className="border-line border-b pb-1.5 font-semibold text-[14px]">{name}</h2>
            <FieldList
              fields={fields}
              nested={(field, order) =>
                field.control.kind === 'datasets' ? (
                  <Datasets key={field.key} field={field} order={order} />
                ) : (
                  <Group key={field.key} field={field} order={order} />
                )
              }
            />
          </section>
        );
      })}
      {search === '' && <UnknownKeys known={sections.flatMap((section) => section.fields)} />}
      {found.length === 0 && <p className="text-muted">{t('noKey')}</p>}
    </>
  );
}

/** Takes back what was written here, in the form or in the text; not what others have. */
function undoByKeys(event: KeyboardEvent, live: LiveRecipe): void {
  if (!(event.ctrlKey || event.metaKey)) return;
  const key = event.key.toLowerCase();
  if (key !== 'z' && key !== 'y') return;
  event.preventDefault();
  if (key === 'y' || event.shiftKey) live.undo.redo();
  else live.undo.undo();
}
