import { readValue, sourceOf } from '@anneal/core/recipe/edit';
import { Plus, X } from 'lucide-react';
import type { ComponentType, ReactNode } from 'react';
import { useTranslations } from 'use-intl';
import { Button, IconButton } from '../../Button.tsx';
import { type ControlProps, controlClass } from './control.ts';
import { isWrongAt, type Path, useRecipeForm } from './formContext.ts';
import { InText } from './InText.tsx';

/**
 * A list item by item, each in a line of its own; a list without items is no key.
 * @param Item shows one @param more beside the button that adds a text: ways to add another item
 */
export function Items({
  id,
  describedBy,
  isReadOnly,
  written,
  write,
  remove,
  path,
  Item = TextItem,
  more,
}: ControlProps & {
  path: Path;
  Item?: ComponentType<ItemProps>;
  more?: (add: (item: unknown) => void) => ReactNode;
}) {
  const form = useRecipeForm();
  const t = useTranslations('recipes');
  const items = Array.isArray(written?.value) ? (written.value as unknown[]) : [];
  const add = (item: unknown) => {
    if (items.length === 0 && written) remove();
    if (items.length === 0) write(`\n${'  '.repeat(path.length)}- ${sourceOf(item)}`);
    else form.append(path, sourceOf(item));
  };
  const take = (i: number) => (items.length === 1 ? remove() : form.remove([...path, i]));
  return (
    <div className="grid gap-1.5">
      {items.map((item, i) => (
        <Item
          // biome-ignore lint/suspicious/noArrayIndexKey: an item is its place in the list
          key={i}
          id={i === 0 ? id : undefined}
          number={i + 1}
          value={item}
          path={[...path, i]}
          onRemove={() => take(i)}
          {...{ describedBy, isReadOnly }}
        />
      ))}
      <div className="flex flex-wrap gap-1.5">
        <AddButton
          id={items.length === 0 ? id : undefined}
          isReadOnly={isReadOnly}
          onAdd={() => add('')}
          icon={<Plus className="size-3.5" aria-hidden="true" />}
        >
          {t('addItem')}
        </AddButton>
        {more?.(add)}
      </div>
    </div>
  );
}

export interface ItemProps extends Pick<ControlProps, 'describedBy' | 'isReadOnly'> {
  id: string | undefined;
  number: number;
  value: unknown;
  path: Path;
  onRemove: () => void;
}

/** A text of a list in a line of its own; what is none is shown, and changed in the text. */
export function TextItem({ id, number, value, path, describedBy, isReadOnly, onRemove }: ItemProps) {
  const t = useTranslations('recipes');
  const form = useRecipeForm();
  if (typeof value !== 'string' && value !== null) {
    return (
      <div className="flex items-center gap-2">
        <code className="min-w-0 grow truncate font-mono text-[12px] text-muted">{JSON.stringify(value)}</code>
        <InText path={path} />
      </div>
    );
  }
  return (
    <div className="flex items-center gap-1">
      <input
        id={id}
        value={value ?? ''}
        readOnly={isReadOnly}
        aria-label={t('item', { number })}
        aria-describedby={describedBy}
        aria-invalid={isWrongAt(path, form.problems)}
        onFocus={form.endStep}
        onChange={({ target }) => form.write(path, sourceOf(target.value, readValue(form.parsed, path)?.source), [])}
        className={controlClass}
      />
      <IconButton label={t('removeItem', { number })} disabled={isReadOnly} onClick={onRemove}>
        <X className="size-4" />
      </IconButton>
    </div>
  );
}

export function AddButton({
  id,
  isReadOnly,
  onAdd,
  icon,
  children,
}: {
  id?: string | undefined;
  isReadOnly: boolean;
  onAdd: () => void;
  icon: ReactNode;
  children: ReactNode;
}) {
  return (
    <Button id={id} disabled={isReadOnly} onClick={onAdd} className="h-7 px-2.5 text-[12.5px]">
      {icon}
      {children}
    </Button>
  );
}
