'use client';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useHasSocket } from '../../agent/hooks.ts';
import { useIsOff } from '../../agent/useMe.ts';
import { Button } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import type { Place } from '../recipe/monaco/CodeEditor.tsx';
import { PlainEditor } from '../recipe/monaco/load.ts';
import { Problems } from '../recipe/Problems.tsx';
import { useSettled } from '../recipe/useSettled.ts';

const begun = (url: string): string => `endpoint:
  url: ${url}
  model:
task: question_answer     # answer, rewrite_answers or rewrite_questions for rows
sources:
  - path: docs            # .md, .txt and data files, in all folders below
output: data/made.jsonl
`;

/** The recipe as text, which editors change and the agent checks as it is written, and the way to a new one. */
export function SynthesisText({
  recipe,
  others,
  onSaved,
}: {
  /** undefined: there is none yet. */
  recipe: string | undefined;
  /** Chooses another one. */
  others: ReactNode;
  onSaved: (recipe: string) => void;
}) {
  const t = useTranslations('makeRows');
  const queries = useQueryClient();
  const enabled = useHasSocket();
  const isOff = useIsOff('editor');
  const [isNew, setIsNew] = useState(recipe === undefined);
  const [isOpen, setIsOpen] = useState(isNew);
  const [name, setName] = useState('questions.yaml');
  const [written, setWritten] = useState<string>();
  const endpoints = useQuery({
    queryKey: ['endpoints'],
    queryFn: () => agent().endpoints.list.query(),
    enabled: enabled && !isOff,
  });
  const saved = useQuery({
    queryKey: ['synthesis-text', recipe],
    queryFn: () => agent().synthesis.text.query({ recipe: recipe ?? '' }),
    enabled: enabled && recipe !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const addresses = endpoints.data ? [...endpoints.data.endpoints, { name: t('own'), url: endpoints.data.own }] : [];
  const before = isNew ? null : (saved.data?.text ?? null);
  const text = written ?? before ?? begun(addresses[0]?.url ?? '');
  const key = isNew ? name.trim() : (recipe ?? '');
  const schema = useQuery({
    queryKey: ['synthesis-schema'],
    queryFn: () => agent().synthesis.schema.query(),
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const settled = useSettled(text, 250);
  const check = useQuery({
    queryKey: ['synthesis-check', key, settled],
    queryFn: () => agent().synthesis.check.query({ recipe: key, text: settled }),
    placeholderData: (earlier) => earlier,
    gcTime: 60_000,
    enabled: enabled && isOpen && key !== '',
  });
  const [place, setPlace] = useState<Place>();
  const save = useMutation({
    mutationFn: () => agent().synthesis.save.mutate({ recipe: key, text, before }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ['synthesis-text', key] });
      await queries.invalidateQueries({ queryKey: ['synthesis'] });
      setWritten(undefined);
      setIsNew(false);
      onSaved(key);
    },
  });
  const failure = saved.error ?? endpoints.error ?? schema.error ?? save.error;
  const isChanged = isNew ? key !== '' : written !== undefined && written !== before;
  return (
    <div className="grid gap-2">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        {isNew ? (
          <label className="flex min-w-0 items-center gap-2">
            <span className="label shrink-0">{t('newName')}</span>
            <input
              value={name}
              onChange={({ target }) => setName(target.value)}
              spellCheck={false}
              className="h-8 w-64 min-w-0 rounded-md border border-line bg-paper px-2.5 font-mono text-[12.5px]"
            />
          </label>
        ) : (
          others
        )}
        {recipe !== undefined && (
          <Button
            onClick={() => {
              setIsNew(!isNew);
              setWritten(undefined);
            }}
          >
            {t(isNew ? 'back' : 'new')}
          </Button>
        )}
      </div>
      <details open={isNew || undefined} onToggle={({ currentTarget }) => setIsOpen(currentTarget.open)}>
        <summary>{t('recipeText')}</summary>
        <div className="mt-2 overflow-hidden rounded-md border border-line">
          {isOpen && schema.data && (
            <PlainEditor
              label={t('recipeText')}
              kind="synthesis"
              schema={schema.data}
              problems={check.data?.problems ?? []}
              value={text}
              onChange={setWritten}
              isReadOnly={isOff}
              place={place}
              defaults={undefined}
              leastHeight={200}
            />
          )}
        </div>
        <div className="my-2">
          <Problems
            check={check.data}
            error={check.error}
            isChecked={settled === text && !check.isFetching}
            inOrder={t('inOrder')}
            onGo={(line, column) => setPlace({ line, column })}
          />
        </div>
        {addresses.length > 0 && (
          <p className="text-[12.5px] text-muted [overflow-wrap:anywhere]">
            {t('mayAsk', { addresses: addresses.map(({ url, name: of }) => `${url} (${of})`).join(', ') })}
          </p>
        )}
        <Button className="mt-2" disabled={isOff || !isChanged || save.isPending} onClick={() => save.mutate()}>
          {t('save')}
        </Button>
      </details>
      {failure && <ErrorNote error={shownError(failure)} />}
    </div>
  );
}
