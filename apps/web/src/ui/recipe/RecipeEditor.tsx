'use client';
import type { RecipeText } from '@anneal/core/protocol/studio';
import { useMutation, useQuery } from '@tanstack/react-query';
import { TableProperties } from 'lucide-react';
import dynamic from 'next/dynamic';
import Link from 'next/link';
import { useRouter } from 'next/navigation';
import { type ComponentProps, useEffect, useRef, useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { useConnection, useHasSocket } from '../../agent/hooks.ts';
import { Button, buttonClass } from '../Button.tsx';
import { Command } from '../Command.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { type ChosenStart, StartOptions } from '../StartOptions.tsx';
import { EstimateCard } from './EstimateCard.tsx';
import type { CodeEditorHandle } from './monaco/CodeEditor.tsx';
import { Problems } from './Problems.tsx';
import { useSettled } from './useSettled.ts';

const CodeEditor = dynamic(() => import('./monaco/CodeEditor.tsx'), { ssr: false });

/** A recipe as text, checked as it is written, and what a run of it would take. */
export function RecipeEditor({ recipe }: { recipe: string }) {
  const enabled = useHasSocket();
  // What is being written is not replaced by what the file holds meanwhile: saving notices that.
  const { data, error } = useQuery({
    queryKey: ['recipe-text', recipe],
    queryFn: () => agent().recipes.read.query({ recipe }),
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  if (error) return <ErrorNote error={shownError(error)} />;
  return data ? <Opened recipe={recipe} opened={data} /> : null;
}

function Opened({ recipe, opened }: { recipe: string; opened: RecipeText }) {
  const t = useTranslations('recipes');
  const data = useTranslations('data');
  const router = useRouter();
  const area = useRef<CodeEditorHandle>(null);
  const [text, setText] = useState(opened.text);
  const [saved, setSaved] = useState(opened);
  const [wanted, setWanted] = useState<ChosenStart>({ priority: 'normal' });
  const isAway = useConnection() !== 'open';
  const settled = useSettled(text, 350);
  const check = useQuery({
    queryKey: ['check', recipe, settled],
    queryFn: () => agent().recipes.check.query({ recipe, text: settled }),
    placeholderData: (before) => before,
    gcTime: 60_000,
  });
  const schema = useQuery({
    queryKey: ['recipe-schema'],
    queryFn: () => agent().recipes.schema.query(),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const open: ComponentProps<typeof CodeEditor>['onOpen'] = (_, model) => {
    model.setValue(opened.text);
    const listener = model.onDidChangeContent(() => setText(model.getValue()));
    return () => listener.dispose();
  };
  const isDirty = text !== saved.text;

  const write = async (): Promise<void> => {
    if (text === saved.text) return;
    const { sha256 } = await agent().recipes.save.mutate({ recipe, text, sha256: saved.sha256 });
    setSaved({ text, sha256 });
  };
  const save = useMutation({ mutationFn: write });
  const start = useMutation({
    mutationFn: async () => {
      await write();
      return agent().recipes.start.mutate({ recipe, ...wanted });
    },
    onSuccess: ({ run }) => router.push(`/run?id=${encodeURIComponent(run)}`),
  });

  const problems = check.data?.problems ?? [];
  const isChecked = settled === text && !check.isFetching;
  const isReady = isChecked && check.data !== undefined && problems.length === 0 && !check.data.pull;
  // Wherever the focus is: a button that waits has none.
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey)) return;
      if (event.key === 's') save.mutate();
      else if (event.key === 'Enter' && isReady && !start.isPending) start.mutate();
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    // Before the editor, which has a meaning of its own for some of them.
    document.addEventListener('keydown', onKeyDown, { capture: true });
    return () => document.removeEventListener('keydown', onKeyDown, { capture: true });
  });
  const failure = save.error ?? start.error;
  return (
    <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_24rem]">
      <section aria-label={t('text')} className="min-w-0 overflow-hidden rounded-lg border border-line bg-surface">
        {schema.data && (
          <CodeEditor ref={area} label={t('text')} schema={schema.data} problems={problems} onOpen={open} />
        )}
        <div className="flex min-h-11 items-center gap-3 border-line border-t px-3 py-1.5">
          <span className="text-[12.5px] text-muted" role="status">
            {isDirty ? t('unsaved') : t('saved')}
          </span>
          <span className="text-[12px] text-muted max-sm:hidden">{t('leave')}</span>
          <Button className="ml-auto" disabled={isAway || !isDirty || save.isPending} onClick={() => save.mutate()}>
            {t('save')}
          </Button>
        </div>
      </section>
      <div className="grid gap-4">
        {failure && <ErrorNote error={shownError(failure)} />}
        <section className="rounded-lg border border-line bg-surface p-4">
          <Problems
            check={isChecked || check.data ? check.data : undefined}
            error={check.error}
            isChecked={isChecked}
            onGo={(line, column) => area.current?.goTo(line, column)}
          />
          <div className="mt-4">
            <StartOptions value={wanted} onChange={setWanted} />
          </div>
          <Button
            look="primary"
            className="mt-4 h-9 w-full"
            disabled={isAway || !isReady || start.isPending || start.isSuccess}
            onClick={() => start.mutate()}
          >
            {start.isPending || start.isSuccess ? t('starting') : t('start')}
          </Button>
        </section>
        <EstimateCard recipe={recipe} text={isReady ? text : undefined} prepare={write} />
        <Link href={`/data?recipe=${encodeURIComponent(recipe)}`} className={`${buttonClass()} h-9`}>
          <TableProperties className="size-4" aria-hidden="true" />
          {data('lookAt')}
        </Link>
        <div className="grid gap-1.5 px-1">
          <span className="label">{t('command')}</span>
          <Command>{`npx anneal train ${recipe}`}</Command>
        </div>
      </div>
    </div>
  );
}
