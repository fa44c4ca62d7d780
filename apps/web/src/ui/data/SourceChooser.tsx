'use client';
import type { DataSourceName, ListedData } from '@anneal/core/protocol/dataView';
import { useTranslations } from 'use-intl';

const select = 'h-8 w-full max-w-full rounded-md border border-line bg-surface px-2.5 font-mono text-[12.5px]';

/** The data of a recipe, or of a file with a model to read it. */
export function SourceChooser({
  list,
  name,
  onChoose,
}: {
  list: ListedData;
  name: DataSourceName;
  onChoose: (name: DataSourceName) => void;
}) {
  const t = useTranslations('data');
  const { recipe, file, model } = name;
  return (
    <>
      <label className="min-w-0 max-sm:w-full">
        <span className="sr-only">{t('choose')}</span>
        <select
          value={recipe === null ? `file ${file}` : `recipe ${recipe}`}
          onChange={({ target: { value } }) => {
            const key = value.slice(value.indexOf(' ') + 1);
            onChoose(
              value.startsWith('recipe ')
                ? { recipe: key, file: null, model: null, mapping: null }
                : { recipe: null, file: key, model, mapping: null },
            );
          }}
          className={select}
        >
          <optgroup label={t('recipes')}>
            {list.recipes.map(({ key }) => (
              <option key={key} value={`recipe ${key}`}>
                {key}
              </option>
            ))}
          </optgroup>
          <optgroup label={t('files')}>
            {list.files.map(({ key }) => (
              <option key={key} value={`file ${key}`}>
                {key}
              </option>
            ))}
          </optgroup>
        </select>
      </label>
      {recipe === null && list.models.length > 1 && (
        <label className="flex min-w-0 items-center gap-2 max-sm:w-full">
          <span className="label shrink-0">{t('model')}</span>
          <select
            value={model ?? list.models[0]}
            onChange={({ target: { value } }) => onChoose({ ...name, model: value })}
            className={select}
          >
            {list.models.map((choice) => (
              <option key={choice} value={choice}>
                {choice.split('/').slice(-2).join('/')}
              </option>
            ))}
          </select>
        </label>
      )}
    </>
  );
}
