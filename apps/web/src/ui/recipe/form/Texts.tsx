'use client';
import type { ControlProps } from './control.ts';
import type { Path } from './formContext.ts';
import { AddText, TextItem, useItems } from './TextItem.tsx';

/** A list of texts, each in a line of its own. */
export function Texts({ id, describedBy, isReadOnly, ...list }: ControlProps & { path: Path }) {
  const { items, add, take } = useItems(list);
  return (
    <div className="grid gap-1.5">
      {items.map((item, i) => (
        <TextItem
          // biome-ignore lint/suspicious/noArrayIndexKey: a text is its place in the list
          key={i}
          id={i === 0 ? id : undefined}
          number={i + 1}
          value={item}
          path={[...list.path, i]}
          onRemove={() => take(i)}
          {...{ describedBy, isReadOnly }}
        />
      ))}
      <AddText id={items.length === 0 ? id : undefined} isReadOnly={isReadOnly} onAdd={() => add('')} />
    </div>
  );
}
