'use client';
import { ArrowUp, Square } from 'lucide-react';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useTranslations } from 'use-intl';
import { useConnection } from '../../agent/hooks.ts';
import { Button } from '../Button.tsx';

/** Enter asks, Shift+Enter begins a line. What could not be asked stays. */
export function Composer({
  isAnswering,
  canAsk,
  onSend,
  onStop,
}: {
  isAnswering: boolean;
  /** There is a model, and who uses this browser may ask it. */
  canAsk: boolean;
  onSend: (text: string) => Promise<boolean>;
  onStop: () => void;
}) {
  const t = useTranslations('chat');
  const isAway = useConnection() !== 'open';
  const [text, setText] = useState('');
  const area = useRef<HTMLTextAreaElement>(null);
  const canSend = text.trim() !== '' && !isAnswering && !isAway && canAsk;
  useEffect(() => area.current?.focus({ preventScroll: true }), []);
  const send = async () => {
    if (canSend && (await onSend(text))) setText('');
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // While a Chinese word is being composed, Enter chooses it.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void send();
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
      className="sticky bottom-0 z-10 -mx-1 bg-paper px-1 pt-1 pb-3"
    >
      <div className="flex items-end gap-2 rounded-lg border border-line bg-surface p-2 focus-within:border-faint">
        <textarea
          ref={area}
          rows={1}
          value={text}
          aria-label={t('question')}
          placeholder={t('questionHint')}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
          className="field-sizing-content max-h-60 min-h-8 grow resize-none bg-transparent px-2 py-1.5 leading-5 placeholder:text-muted focus-visible:outline-none"
        />
        {isAnswering ? (
          <Button onClick={onStop} disabled={isAway}>
            <Square className="size-3 fill-current" aria-hidden="true" />
            {t('stop')}
          </Button>
        ) : (
          <Button type="submit" look="primary" disabled={!canSend}>
            <ArrowUp className="size-3.5" aria-hidden="true" />
            {t('send')}
          </Button>
        )}
      </div>
    </form>
  );
}
