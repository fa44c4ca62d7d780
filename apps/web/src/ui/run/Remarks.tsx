'use client';
import { mostNoteCharacters, tagForm } from '@anneal/core/protocol/remarkForms';
import { useMutation } from '@tanstack/react-query';
import { Pencil, X } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import type { RunFacts } from '../../agent/liveRun.ts';
import { useIsOff, useMay } from '../../agent/useMe.ts';
import { Button, IconButton } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';

/** What people say of the run: tags, and a note. */
export function Remarks({ run }: { run: RunFacts }) {
  const may = useMay('editor');
  if (!may && run.tags.length === 0 && run.note === null) return null;
  return (
    <div className="flex flex-wrap items-start gap-x-4 gap-y-2 text-[13px]">
      <Tags run={run} may={may} />
      <RunNote run={run} may={may} />
    </div>
  );
}

function Tags({ run, may }: { run: RunFacts; may: boolean }) {
  const t = useTranslations('remarks');
  const [tag, setTag] = useState('');
  const isOff = useIsOff('editor');
  const change = useMutation({
    mutationFn: (tags: { add?: string[]; remove?: string[] }) => agent().runs.tag.mutate({ run: run.key, ...tags }),
    onSuccess: () => setTag(''),
  });
  const wanted = tag.trim();
  const isTag = tagForm.test(wanted);
  const add = (event: FormEvent) => {
    event.preventDefault();
    if (isTag) change.mutate({ add: [wanted] });
  };
  return (
    <>
      <div className="flex flex-wrap items-center gap-2">
        <ul className="contents" aria-label={t('tags')}>
          {run.tags.map((one) => (
            <li key={one} className="inline-flex items-center rounded-full border border-line bg-surface pl-2.5">
              <span className={may ? '' : 'pr-2.5'}>{one}</span>
              {may && (
                <IconButton
                  label={t('removeTag', { tag: one })}
                  className="size-6"
                  disabled={isOff || change.isPending}
                  onClick={() => change.mutate({ remove: [one] })}
                >
                  <X className="size-3" aria-hidden="true" />
                </IconButton>
              )}
            </li>
          ))}
        </ul>
        {may && (
          <form onSubmit={add} className="flex items-center gap-2">
            <input
              value={tag}
              onChange={(event) => setTag(event.target.value)}
              aria-label={t('newTag')}
              aria-invalid={wanted !== '' && !isTag}
              aria-describedby={wanted !== '' && !isTag ? 'tag-form' : undefined}
              placeholder={t('newTag')}
              className="h-7 w-36 rounded-md border border-line bg-surface px-2 placeholder:text-muted aria-invalid:border-bad"
            />
            <Button type="submit" className="h-7 px-2.5 text-[12.5px]" disabled={!isTag || isOff || change.isPending}>
              {t('add')}
            </Button>
          </form>
        )}
      </div>
      {wanted !== '' && !isTag && (
        <p id="tag-form" className="text-bad">
          {t('tagForm')}
        </p>
      )}
      {change.error && <ErrorNote error={shownError(change.error)} />}
    </>
  );
}

function RunNote({ run: { key, note }, may }: { run: RunFacts; may: boolean }) {
  const t = useTranslations('remarks');
  const format = useFormat();
  const [draft, setDraft] = useState<string>();
  const isOff = useIsOff('editor');
  const write = useMutation({
    mutationFn: (text: string) => agent().runs.note.mutate({ run: key, text }),
    onSuccess: () => setDraft(undefined),
  });
  if (draft !== undefined) {
    return (
      <form
        className="grid w-full max-w-3xl gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          write.mutate(draft);
        }}
      >
        <textarea
          // biome-ignore lint/a11y/noAutofocus: it was just asked for
          autoFocus
          value={draft}
          maxLength={mostNoteCharacters}
          rows={4}
          aria-label={t('note')}
          onChange={(event) => setDraft(event.target.value)}
          className="w-full rounded-md border border-line bg-surface px-3 py-2"
        />
        <div className="flex gap-2">
          <Button type="submit" look="primary" className="h-7 px-2.5 text-[12.5px]" disabled={isOff || write.isPending}>
            {t('save')}
          </Button>
          <Button className="h-7 px-2.5 text-[12.5px]" onClick={() => setDraft(undefined)}>
            {t('cancel')}
          </Button>
        </div>
        {write.error && <ErrorNote error={shownError(write.error)} />}
      </form>
    );
  }
  return (
    <div className={`flex items-start gap-2 ${note ? 'w-full' : ''}`}>
      {note && (
        <div className="min-w-0 max-w-3xl [overflow-wrap:anywhere]">
          <p className="whitespace-pre-wrap">{note.text}</p>
          <p className="text-[12px] text-muted">{t('by', { name: note.by, time: format.time(note.time) })}</p>
        </div>
      )}
      {may && (
        <Button className="h-7 px-2.5 text-[12.5px]" disabled={isOff} onClick={() => setDraft(note?.text ?? '')}>
          <Pencil className="size-3" aria-hidden="true" />
          {t(note ? 'edit' : 'write')}
        </Button>
      )}
    </div>
  );
}
