'use client';
import type { RecipeCheck } from '@anneal/core/protocol/recipes';
import { useMutation, useQuery } from '@tanstack/react-query';
import { TableProperties } from 'lucide-react';
import dynamic from 'next/dynamic';
import Link from 'next/link';
import { useRouter } from 'next/navigation';
import { parseAsStringLiteral, useQueryState } from 'nuqs';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useTranslations } from 'use-intl';
import { recipeViews as views } from '../../agent/addressValues.ts';
import { agent } from '../../agent/connection.ts';
import { fetchPart } from '../../agent/fetchPart.ts';
import { useCalledAs } from '../../agent/hooks.ts';
import { useMay, useMe } from '../../agent/useMe.ts';
import { Button, buttonClass } from '../Button.tsx';
import { Command } from '../Command.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { Segmented } from '../Segmented.tsx';
import { type ChosenStart, StartOptions } from '../StartOptions.tsx';
import { EstimateCard } from './EstimateCard.tsx';
import { RecipeForm } from './form/RecipeForm.tsx';
import { History } from './History.tsx';
import { EditingState } from './live/EditingState.tsx';
import type { LiveRecipe } from './live/liveRecipe.ts';
import { introduce } from './live/me.ts';
import { People } from './live/People.tsx';
import { useLiveRecipe, useLiveState, useLiveText } from './live/useLiveRecipe.ts';
import type { Place } from './monaco/CodeEditor.tsx';
import { bothPlaces, editorPlace } from './monaco/editorPlace.ts';
import { LiveEditor } from './monaco/load.ts';
import { Problems } from './Problems.tsx';
import { Proposal } from './Proposal.tsx';
import { startCommand } from './startCommand.ts';
import { useDefaultsShown } from './useDefaultsShown.ts';
import { useRecipeKeys } from './useRecipeKeys.ts';
import { useSettled } from './useSettled.ts';

const FirstBatches = dynamic(() => fetchPart(() => import('./batches/FirstBatches.tsx')), { ssr: false });

/** A recipe as text that several people may edit at once, checked as it is written, and what a run of it would take. */
export default function RecipeEditor({ recipe }: { recipe: string }) {
  const me = useMe();
  if (me) introduce(me.name);
  const { live, error, openAnew } = useLiveRecipe(recipe);
  if (error) return <ErrorNote error={shownError(error)} />;
  return live ? <Opened recipe={recipe} live={live} openAnew={openAnew} /> : <Opening />;
}

function Opening() {
  const t = useTranslations('recipes');
  return (
    <p className="text-muted" role="status">
      {t('opening')}
    </p>
  );
}

function Opened({ recipe, live, openAnew }: { recipe: string; live: LiveRecipe; openAnew: () => void }) {
  const t = useTranslations('recipes');
  const anneal = useCalledAs();
  const data = useTranslations('data');
  const router = useRouter();
  const [view, setView] = useQueryState('view', parseAsStringLiteral(views).withDefault('text'));
  const [place, setPlace] = useState<Place>();
  const state = useLiveState(live);
  const text = useLiveText(live);
  const [wanted, setWanted] = useState<ChosenStart>({ priority: 'normal' });
  const mayStart = useMay('operator');
  const isOpen = state.stage === 'open';
  const isAway = state.isAway || !isOpen;
  const settled = useSettled(text, 250);
  const check = useQuery({
    queryKey: ['check', recipe, settled],
    queryFn: () => agent().recipes.check.query({ recipe, text: settled }),
    placeholderData: (before) => before,
    gcTime: 60_000,
    enabled: isOpen,
  });
  const schema = useQuery({
    queryKey: ['recipe-schema'],
    queryFn: () => agent().recipes.schema.query(),
    staleTime: Number.POSITIVE_INFINITY,
  });

  const form = useQuery({
    queryKey: ['recipe-form'],
    queryFn: () => agent().recipes.form.query(),
    staleTime: Number.POSITIVE_INFINITY,
  });

  const save = useMutation({
    mutationFn: async () => {
      await live.sent();
      await agent().recipes.save.mutate({ recipe });
    },
  });
  const start = useMutation({
    mutationFn: async () => {
      await live.sent();
      return agent().recipes.start.mutate({ recipe, text, ...wanted });
    },
    onSuccess: ({ run }) => router.push(`/run?id=${encodeURIComponent(run)}`),
  });

  const [values, setValues] = useState<RecipeCheck['values']>(null);
  const newest = check.data?.values;
  useEffect(() => {
    if (newest) setValues(newest);
  }, [newest]);

  const problems = check.data?.problems ?? [];
  const isChecked = settled === text && !check.isFetching;
  const isReady = isChecked && check.data !== undefined && problems.length === 0 && !check.data.pull;
  const canSave = !isAway && !state.isReadOnly && !save.isPending;
  const canStart = mayStart && isReady && !isAway && !state.isReadOnly && !start.isPending && !start.isSuccess;
  useRecipeKeys({
    s: () => canSave && save.mutate(),
    Enter: () => canStart && start.mutate(),
  });
  useEffect(() => {
    if (!state.isUnsent) return;
    const onLeave = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', onLeave);
    return () => window.removeEventListener('beforeunload', onLeave);
  }, [state.isUnsent]);
  const [withDefaults, setWithDefaults] = useDefaultsShown();
  const defaults = useMemo(
    // Beside the form, which shows them as well, lines are short.
    () => (withDefaults && view === 'text' && form.data && values ? { sections: form.data, values } : undefined),
    [withDefaults, view, form.data, values],
  );
  const sent = useCallback(() => live.sent(), [live]);
  const failure = save.error ?? start.error;
  const isReadOnly = state.isReadOnly || state.stage === 'refused';
  const goTo = (line: number, column: number) => {
    if (view === 'form') void setView('text');
    setPlace({ line, column });
  };
  return (
    <>
      {isOpen && <Proposal live={live} text={text} sections={form.data} values={values} isReadOnly={isReadOnly} />}
      <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_24rem] lg:grid-rows-[auto_1fr]">
        <section aria-label={t('title')} className="min-w-0 rounded-lg border border-line bg-surface">
          <div className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-2 border-line border-b px-3 py-1.5">
            <EditingState state={state} openAnew={openAnew} />
            <div className="ml-auto flex items-center gap-3">
              <Segmented
                label={t('view')}
                value={view}
                onChange={(chosen) => void setView(chosen as (typeof views)[number])}
                options={views.map((value) => ({ value, name: t(`views.${value}`) }))}
              />
              <People people={state.people} />
            </div>
          </div>
          {schema.error && <ErrorNote error={shownError(schema.error)} />}
          {schema.data && state.stage !== 'opening' ? (
            <div className={view === 'both' ? 'grid lg:grid-cols-2' : ''}>
              {view !== 'form' && (
                <LiveEditor
                  label={t('text')}
                  schema={schema.data}
                  problems={problems}
                  live={live}
                  isReadOnly={isReadOnly}
                  place={place}
                  defaults={defaults}
                />
              )}
              {view !== 'text' && (
                <section
                  aria-label={t('form')}
                  className={`h-[max(340px,calc(100vh-500px))] min-w-0 overflow-y-auto lg:h-auto lg:max-h-[max(420px,calc(100vh-250px))] ${view === 'both' ? 'border-line max-lg:border-t lg:border-l' : ''}`}
                >
                  <RecipeForm
                    sections={form.data}
                    error={form.error}
                    live={live}
                    text={text}
                    problems={problems}
                    values={values}
                    isReadOnly={isReadOnly}
                    onGo={goTo}
                  />
                </section>
              )}
            </div>
          ) : (
            <div className={`${view === 'both' ? bothPlaces : editorPlace} p-4`}>
              <Opening />
            </div>
          )}
          <div className="flex min-h-11 items-center gap-3 border-line border-t px-3 py-1.5">
            {view === 'text' && (
              <label className="flex shrink-0 items-center gap-1.5 text-[12.5px]">
                <input
                  type="checkbox"
                  checked={withDefaults}
                  onChange={({ target }) => setWithDefaults(target.checked)}
                />
                {t('showDefaults')}
              </label>
            )}
            {view !== 'form' && <span className="text-[12px] text-muted max-sm:hidden">{t('leave')}</span>}
            <Button className="ml-auto" title={t('saveHint')} disabled={!canSave} onClick={() => save.mutate()}>
              {t('save')}
            </Button>
          </div>
        </section>
        <div className="grid gap-4 lg:row-span-2">
          {failure && <ErrorNote error={shownError(failure)} />}
          <section className="rounded-lg border border-line bg-surface p-4">
            <Problems
              check={isChecked || check.data ? check.data : undefined}
              error={check.error}
              isChecked={isChecked}
              inOrder={t('valid')}
              onGo={goTo}
            />
            <div className="mt-4">
              <StartOptions value={wanted} onChange={setWanted} />
            </div>
            <Button look="primary" className="mt-4 h-9 w-full" disabled={!canStart} onClick={() => start.mutate()}>
              {start.isPending || start.isSuccess ? t('starting') : t('start')}
            </Button>
            <div className="grid grid-cols-[minmax(0,1fr)] mt-4 gap-1.5">
              <span className="label">{t('command')}</span>
              <Command>{startCommand(anneal, recipe, wanted)}</Command>
            </div>
          </section>
          <Link href={`/data?recipe=${encodeURIComponent(recipe)}`} className={`${buttonClass()} h-9`}>
            <TableProperties className="size-4" aria-hidden="true" />
            {data('lookAt')}
          </Link>
          <EstimateCard recipe={recipe} text={isReady ? text : undefined} values={values} />
        </div>
        {/* Below what keeps its height: the figures beside it come late. */}
        <History recipe={recipe} newest={state.file.newestVersion} text={text} canRestore={canSave} onRestore={sent} />
        <div className="min-w-0 lg:col-span-2">
          <FirstBatches recipe={recipe} text={isReady ? text : undefined} prepare={sent} />
        </div>
      </div>
    </>
  );
}
