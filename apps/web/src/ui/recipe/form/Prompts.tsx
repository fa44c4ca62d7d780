'use client';
import { readValue, sourceOf } from '@anneal/core/recipe/edit';
import { MessagesSquare, Plus, X } from 'lucide-react';
import { useTranslations } from 'use-intl';
import { Button, IconButton } from '../../Button.tsx';
import { Conversation } from './Conversation.tsx';
import { type ControlProps, controlClass } from './control.ts';
import { type Path, useRecipeForm } from './formContext.ts';
import { InText } from './InText.tsx';

/** Prompts in a list: each a text, a conversation, or a conversation with the tools that may be called. */
export function Prompts({ id, isReadOnly, written, write, remove, path, ...props }: ControlProps & { path: Path }) {
  const t = useTranslations('recipes');
  const form = useRecipeForm();
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
        <Prompt
          // biome-ignore lint/suspicious/noArrayIndexKey: a prompt is its place in the list
          key={i}
          id={i === 0 ? id : undefined}
          number={i + 1}
          value={item}
          path={[...path, i]}
          isReadOnly={isReadOnly}
          onRemove={() => take(i)}
          {...props}
        />
      ))}
      <div className="flex flex-wrap gap-1.5">
        <Button
          id={items.length === 0 ? id : undefined}
          disabled={isReadOnly}
          onClick={() => add('')}
          className="h-7 px-2.5 text-[12.5px]"
        >
          <Plus className="size-3.5" aria-hidden="true" />
          {t('addItem')}
        </Button>
        <Button
          disabled={isReadOnly}
          onClick={() => add([{ role: 'user', content: '' }])}
          className="h-7 px-2.5 text-[12.5px]"
        >
          <MessagesSquare className="size-3.5" aria-hidden="true" />
          {t('addConversation')}
        </Button>
      </div>
    </div>
  );
}

interface PromptProps extends Pick<ControlProps, 'describedBy' | 'isWrong' | 'isReadOnly'> {
  id: string | undefined;
  number: number;
  value: unknown;
  path: Path;
  onRemove: () => void;
}

function Prompt({ id, number, value, path, describedBy, isWrong, isReadOnly, onRemove }: PromptProps) {
  const t = useTranslations('recipes');
  const form = useRecipeForm();
  const withTools = typeof value === 'object' && value !== null && 'messages' in value;
  if (Array.isArray(value) || withTools) {
    return (
      <Conversation
        id={id}
        label={t('conversation', { number })}
        path={withTools ? [...path, 'messages'] : path}
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
        aria-invalid={isWrong}
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
