'use client';
import { Popover } from 'radix-ui';
import { useState } from 'react';
import { useLocale } from '../i18n/locale.tsx';
import { terms } from '../i18n/terms.ts';
import { CodeText } from './CodeText.tsx';

/** A text in which `code` is set as such, and words that newcomers do not know are explained. */
export function Explained({ text }: { text: string }) {
  const locale = useLocale();
  return <CodeText text={text} plain={(part) => <Words text={part} locale={locale} />} />;
}

/** Each word is explained once in a text. */
function Words({ text, locale }: { text: string; locale: ReturnType<typeof useLocale> }) {
  // Chinese has no spaces between words; elsewhere a part of a longer word or of a key is not meant.
  const edge = locale === 'zh-CN' ? '' : '\\b';
  const all = new RegExp(terms.map((term) => `${edge}(${term[locale].word})${edge}`).join('|'), 'g');
  const told = new Set<number>();
  const parts: (string | { word: string; meaning: string; at: number })[] = [];
  let end = 0;
  for (const match of text.matchAll(all)) {
    const index = match.slice(1).findIndex((group) => group !== undefined);
    const term = terms[index];
    if (!term || told.has(index)) continue;
    told.add(index);
    parts.push(text.slice(end, match.index), { word: match[0], meaning: term[locale].meaning, at: match.index });
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)].map((part) =>
    typeof part === 'string' ? part : <Word key={part.at} word={part.word} meaning={part.meaning} />,
  );
}

/** By mouse it is explained on hover, by keyboard and touch when it is pressed. */
function Word({ word, meaning }: { word: string; meaning: string }) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <Popover.Root open={isOpen} onOpenChange={setIsOpen}>
      <Popover.Trigger
        onPointerEnter={({ pointerType }) => setIsOpen(pointerType === 'mouse')}
        onPointerLeave={() => setIsOpen(false)}
        className="underline decoration-faint decoration-dotted underline-offset-2"
      >
        {word}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          side="top"
          sideOffset={4}
          collisionPadding={12}
          onOpenAutoFocus={(event) => event.preventDefault()}
          className="z-40 max-w-72 rounded-md border border-line bg-surface px-3 py-2 text-[12.5px] text-ink leading-snug shadow-lg"
        >
          {meaning}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
