'use client';
import { readValue, sourceOf } from '@anneal/core/recipe/edit';
import { Plus, X } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useTranslations } from 'use-intl';
import { Button, IconButton } from '../../Button.tsx';
import { controlClass } from './control.ts';
import { isWrongAt, type Path, useRecipeForm } from './formContext.ts';
import { InText } from './InText.tsx';

const usual = ['system', 'user', 'assistant', 'tool'];
const order = ['role', 'content'];

/** Messages of a list, each with who says it. */
export function Conversation({
  id,
  label,
  path,
  describedBy,
  isReadOnly,
  onRemove,
  children,
}: {
  id: string | undefined;
  label: string;
  path: Path;
  describedBy: string;
  isReadOnly: boolean;
  onRemove: () => void;
  /** What belongs to it beside the messages. */
  children?: ReactNode;
}) {
  const t = useTranslations('recipes');
  const form = useRecipeForm();
  const value = readValue(form.parsed, path)?.value;
  const messages = Array.isArray(value) ? (value as unknown[]) : [];
  const last = roleOf(messages.at(-1));
  const add = () => form.append(path, sourceOf({ role: last === 'user' ? 'assistant' : 'user', content: '' }));
  return (
    <fieldset className="grid min-w-0 gap-1.5 rounded-md border border-line px-2.5 pt-0.5 pb-2.5">
      <legend className="flex items-center gap-1 px-1">
        <span className="label">{label}</span>
        <IconButton
          label={t('removeConversation', { name: label })}
          disabled={isReadOnly}
          onClick={onRemove}
          className="size-6"
        >
          <X className="size-3.5" />
        </IconButton>
      </legend>
      {messages.map((message, i) => (
        <Message
          // biome-ignore lint/suspicious/noArrayIndexKey: a message is its place in the list
          key={i}
          id={i === 0 ? id : undefined}
          number={i + 1}
          value={message}
          path={[...path, i]}
          describedBy={describedBy}
          isReadOnly={isReadOnly}
          onRemove={messages.length > 1 ? () => form.remove([...path, i]) : undefined}
        />
      ))}
      <div className="flex flex-wrap items-center gap-3">
        <Button disabled={isReadOnly} onClick={add} className="h-7 px-2.5 text-[12.5px]">
          <Plus className="size-3.5" aria-hidden="true" />
          {t('addMessage')}
        </Button>
        {children}
      </div>
    </fieldset>
  );
}

function Message({
  id,
  number,
  value,
  path,
  describedBy,
  isReadOnly,
  onRemove,
}: {
  id: string | undefined;
  number: number;
  value: unknown;
  path: Path;
  describedBy: string;
  isReadOnly: boolean;
  /** Undefined for the only one: a conversation has a message at least. */
  onRemove: (() => void) | undefined;
}) {
  const t = useTranslations('recipes');
  const form = useRecipeForm();
  const [isRefused, setIsRefused] = useState(false);
  const { content } = (value ?? {}) as { content?: unknown };
  const role = roleOf(value);
  if (role === undefined || (content !== undefined && typeof content !== 'string')) {
    return (
      <div className="flex items-center gap-2">
        <code className="min-w-0 grow truncate font-mono text-[12px] text-muted">{JSON.stringify(value)}</code>
        <InText path={path} />
      </div>
    );
  }
  const set = (key: string, text: string) => {
    const before = readValue(form.parsed, [...path, key])?.source;
    setIsRefused(!form.write([...path, key], sourceOf(text, before), order));
  };
  const text = typeof content === 'string' ? content : '';
  const isWrong = isWrongAt(path, form.problems);
  return (
    <div className="grid grid-cols-[auto_minmax(0,1fr)_auto] items-start gap-1.5">
      <select
        id={id}
        aria-label={t('roleOf', { number })}
        value={role}
        disabled={isReadOnly}
        aria-describedby={describedBy}
        aria-invalid={isWrong}
        onChange={({ target }) => set('role', target.value)}
        className={`${controlClass} w-28`}
      >
        {[...new Set([...usual, role])].map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <textarea
        aria-label={t('messageOf', { number })}
        value={text}
        readOnly={isReadOnly}
        aria-describedby={describedBy}
        aria-invalid={isWrong}
        rows={Math.min(8, text.split('\n').length)}
        onFocus={form.endStep}
        onChange={({ target }) => set('content', target.value)}
        className={`${controlClass} field-sizing-content h-auto min-h-8 resize-y py-1.5 leading-5`}
      />
      <IconButton label={t('removeMessage', { number })} disabled={isReadOnly || !onRemove} onClick={onRemove}>
        <X className="size-4" />
      </IconButton>
      {isRefused && (
        <p role="alert" className="col-span-3 text-[12.5px] text-bad">
          {t('refused')} <InText path={path} />
        </p>
      )}
    </div>
  );
}

function roleOf(message: unknown): string | undefined {
  const role = (message as { role?: unknown } | null | undefined)?.role;
  return typeof role === 'string' ? role : undefined;
}
