'use client';
import { MessagesSquare } from 'lucide-react';
import { useTranslations } from 'use-intl';
import { Conversation } from './Conversation.tsx';
import type { ControlProps } from './control.ts';
import type { Path } from './formContext.ts';
import { InText } from './InText.tsx';
import { AddButton, AddText, type ItemProps, TextItem, useItems } from './TextItem.tsx';

/** Prompts in a list: each a text, a conversation, or a conversation with the tools that may be called. */
export function Prompts({ id, describedBy, isReadOnly, ...list }: ControlProps & { path: Path }) {
  const t = useTranslations('recipes');
  const { items, add, take } = useItems(list);
  return (
    <div className="grid gap-1.5">
      {items.map((item, i) => (
        <Prompt
          // biome-ignore lint/suspicious/noArrayIndexKey: a prompt is its place in the list
          key={i}
          id={i === 0 ? id : undefined}
          number={i + 1}
          value={item}
          path={[...list.path, i]}
          onRemove={() => take(i)}
          {...{ describedBy, isReadOnly }}
        />
      ))}
      <div className="flex flex-wrap gap-1.5">
        <AddText id={items.length === 0 ? id : undefined} isReadOnly={isReadOnly} onAdd={() => add('')} />
        <AddButton
          isReadOnly={isReadOnly}
          onAdd={() => add([{ role: 'user', content: '' }])}
          icon={<MessagesSquare className="size-3.5" aria-hidden="true" />}
        >
          {t('addConversation')}
        </AddButton>
      </div>
    </div>
  );
}

function Prompt(props: ItemProps) {
  const { id, number, value, path, describedBy, isReadOnly, onRemove } = props;
  const t = useTranslations('recipes');
  const withTools = typeof value === 'object' && value !== null && 'messages' in value;
  if (!Array.isArray(value) && !withTools) return <TextItem {...props} />;
  return (
    <Conversation
      id={id}
      label={t('conversation', { number })}
      path={withTools ? [...path, 'messages'] : path}
      describedBy={describedBy}
      isReadOnly={isReadOnly}
      onRemove={onRemove}
    >
      {withTools && (
        <span className="flex items-center gap-2 text-[12.5px] text-muted">
          tools <InText path={[...path, 'tools']} />
        </span>
      )}
    </Conversation>
  );
}
