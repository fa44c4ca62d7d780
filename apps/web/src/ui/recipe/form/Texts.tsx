'use client';
import { readValue, sourceOf } from '@anneal/core/recipe/edit';
import { Plus, X } from 'lucide-react';
import { useTranslations } from 'use-intl';
import { Button, IconButton } from '../../Button.tsx';
import { type ControlProps, controlClass } from './control.ts';
import { type Path, useRecipeForm } from './formContext.ts';
import { InText } from './InText.tsx';

/** A list of texts, each in a line of its own. */
export function Texts({
  id,
  describedBy,
  isWrong,
  isReadOnly,
  written,
  write,
  remove,
  path,
}: ControlProps & { path: Path }) {
  const t = useTranslations('recipes');
  const form = useRecipeForm();
  const items = Array.isArray(written?.value) ? (written.value as unknown[]) : [];
  const add = () => {
    if (items.length === 0 && written) remove();
    if (items.length === 0) write(`\n${'  '.repeat(path.length)}- ${sourceOf('')}`);
    else form.append(path, sourceOf(''));
  };
  const take = (i: number) => (items.length === 1 ? remove() : form.remove([...path, i]));
  return (
    <div className="grid gap-1.5">
      {items.map((item, i) => {
        const key = i;
        if (typeof item !== 'string' && item !== null) {
          return (
            <div key={key} className="flex items-center gap-2">
              <code className="min-w-0 grow truncate font-mono text-[12px] text-muted">{JSON.stringify(item)}</code>
              <InText path={[...path, i]} />
            </div>
          );
        }
        return (
          <div key={key} className="flex items-center gap-1">
            <input
              id={i === 0 ? id : undefined}
              value={item ?? ''}
              readOnly={isReadOnly}
              aria-label={t('item', { number: i + 1 })}
              aria-describedby={describedBy}
              aria-invalid={isWrong}
              onFocus={form.endStep}
              onChange={({ target }) => {
                const before = readValue(form.parsed, [...path, i])?.source;
                form.write([...path, i], sourceOf(target.value, before), []);
              }}
              className={controlClass}
            />
            <IconButton label={t('removeItem', { number: i + 1 })} disabled={isReadOnly} onClick={() => take(i)}>
              <X className="size-4" />
            </IconButton>
          </div>
        );
      })}
      <Button
        id={items.length === 0 ? id : undefined}
        disabled={isReadOnly}
        onClick={add}
        className="h-7 justify-self-start px-2.5 text-[12.5px]"
      >
        <Plus className="size-3.5" aria-hidden="true" />
        {t('addItem')}
      </Button>
    </div>
  );
}
