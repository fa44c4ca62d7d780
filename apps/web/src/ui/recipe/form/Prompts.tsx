'use client';
import { MessagesSquare } from 'lucide-react';
import { useTranslations } from 'use-intl';
import { Conversation } from './Conversation.tsx';
import type { ControlProps } from './control.ts';
import type { Path } from './formContext.ts';
import { InText } from './InText.tsx';
import { AddButton, type ItemProps, Items, TextItem } from './Items.tsx';

/** Prompts in a list: each a text, a conversation, or a conversation with the tools that may be called. */
export function Prompts(props: ControlProps & { path: Path }) {
  const t = useTranslations('recipes');
  return (
    <Items
      {...props}
      Item={Prompt}
      more={(add) => (
        <AddButton
          isReadOnly={props.isReadOnly}
          onAdd={() => add([{ role: 'user', content: '' }])}
          icon={<MessagesSquare className="size-3.5" aria-hidden="true" />}
        >
          {t('addConversation')}
        </AddButton>
      )}
    />
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
