'use client';
import { sourceOf } from '@anneal/core/recipe/edit';
import { useTranslations } from 'use-intl';
import { type ControlProps, controlClass } from './control.ts';

type Option = string | number | boolean | null;

/** One of a few values, or none: then the default holds. */
export function Choice({
  id,
  describedBy,
  isWrong,
  isReadOnly,
  written,
  standard,
  write,
  remove,
  options,
}: ControlProps & { options: readonly Option[] }) {
  const t = useTranslations('recipes');
  const isUnset = written === undefined || (written.value === null && !options.includes(null));
  const chosen = isUnset ? '' : sourceOf(written.value);
  const sources = options.map((option) => sourceOf(option));
  return (
    <select
      id={id}
      value={chosen}
      disabled={isReadOnly}
      aria-describedby={describedBy}
      aria-invalid={isWrong}
      onChange={({ target }) => (target.value === '' ? remove() : write(target.value))}
      className={`${controlClass} ${isUnset ? 'text-muted' : ''}`}
    >
      <option value="">{standard === undefined ? t('byDefault') : t('default', { value: standard })}</option>
      {[...sources, ...(isUnset || sources.includes(chosen) ? [] : [chosen])].map((source) => (
        <option key={source} value={source} className="text-ink">
          {source}
        </option>
      ))}
    </select>
  );
}
