'use client';
import { Popover } from 'radix-ui';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { Button } from '../../Button.tsx';
import type { Presence } from './liveRecipe.ts';
import { callMe, colorOf, mostNameCharacters } from './me.ts';

const mostShown = 6;

/** Who has the recipe open, oneself first, where one can say how one is called. */
export function People({ people }: { people: readonly Presence[] }) {
  const t = useTranslations('recipes');
  const others = people.length - mostShown;
  return (
    <ul aria-label={t('people')} className="flex items-center -space-x-1">
      {people.slice(0, mostShown).map((person) => (
        <li key={person.id}>{person.isMe ? <Me person={person} /> : <Badge person={person} title={person.name} />}</li>
      ))}
      {others > 0 && <li className="pl-2.5 text-[12px] text-muted">+{others}</li>}
    </ul>
  );
}

function Badge({ person, title }: { person: Presence; title: string }) {
  return (
    <span
      title={title}
      style={{ background: colorOf(person) }}
      className="flex size-7 items-center justify-center rounded-full border-2 border-surface font-semibold text-[11px] text-white"
    >
      <span aria-hidden="true">{initialsOf(person.name)}</span>
      <span className="sr-only">{title}</span>
    </span>
  );
}

function Me({ person }: { person: Presence }) {
  const t = useTranslations('recipes');
  const [name, setName] = useState(person.name);
  const [isOpen, setIsOpen] = useState(false);
  const open = (wanted: boolean) => {
    setName(person.name);
    setIsOpen(wanted);
  };
  return (
    <Popover.Root open={isOpen} onOpenChange={open}>
      <Popover.Trigger className="rounded-full">
        <Badge person={person} title={t('me', { name: person.name })} />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="end"
          sideOffset={6}
          className="z-30 w-64 rounded-lg border border-line bg-surface p-3 shadow-lg"
        >
          <form
            className="grid gap-2"
            onSubmit={(event) => {
              event.preventDefault();
              callMe(name);
              setIsOpen(false);
            }}
          >
            <label className="grid gap-1">
              <span className="label">{t('myName')}</span>
              <input
                value={name}
                maxLength={mostNameCharacters}
                onChange={(event) => setName(event.target.value)}
                className="h-8 rounded-md border border-line bg-paper px-2.5 text-[13px]"
              />
            </label>
            <Button type="submit" disabled={name.trim() === ''}>
              {t('rename')}
            </Button>
          </form>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

/** Of a name in letters two, of one in characters such as Chinese the last two. */
function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/);
  if (words.length > 1)
    return words
      .slice(0, 2)
      .map((word) => [...word][0]?.toUpperCase())
      .join('');
  const characters = [...name.trim()];
  return (/[\u3400-\u9fff]/.test(name) ? characters.slice(-2) : characters.slice(0, 2)).join('');
}
