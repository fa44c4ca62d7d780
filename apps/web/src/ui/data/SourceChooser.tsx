'use client';
import type { DataSourceName, ListedData } from '@anneal/core/protocol/dataView';
import { useTranslations } from 'use-intl';
import { hubTitle } from './hubTitle.ts';

const select = 'h-8 w-full max-w-full rounded-md border border-line bg-surface px-2.5 font-mono text-[12.5px]';

/** The data of a recipe, or of a file or a hub with a model to read them. */
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
  const { recipe, file, hub, model } = name;
  const pulled = list.hub.filter(({ isWhole }) => isWhole);
  const chosen = recipe !== null ? `recipe ${recipe}` : file !== null ? `file ${file}` : `hub ${hub}`;
  const isGone = !(
    list.recipes.some(({ key }) => key === recipe) ||
    list.files.some(({ key }) => key === file) ||
    pulled.some(({ key }) => key === hub)
  );
  return (
    <>
      <label className="min-w-0 max-w-2xl grow basis-64 max-sm:w-full max-sm:max-w-full">
        <span className="sr-only">{t('choose')}</span>
        <select
          value={chosen}
          onChange={({ target: { value } }) => {
            const key = value.slice(value.indexOf(' ') + 1);
            const kind = value.slice(0, value.indexOf(' '));
            const nothing = { recipe: null, file: null, hub: null, mapping: null };
            onChoose({ ...nothing, [kind]: key, model: kind === 'recipe' ? null : model });
          }}
          className={select}
        >
          {isGone && <option value={chosen}>{recipe ?? file ?? hub}</option>}
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
          {pulled.length > 0 && (
            <optgroup label={t('hubs')}>
              {pulled.map((data) => (
                <option key={data.key} value={`hub ${data.key}`}>
                  {hubTitle(data)}
                </option>
              ))}
            </optgroup>
          )}
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
