'use client';
import type { RecipeVersion } from '@anneal/core/protocol/recipes';
import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { agent } from '../../agent/connection.ts';
import { Button } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { useFormat } from '../format.ts';

const mostShown = 5;

/** The versions of a recipe: who made them and when, what they have otherwise, and the way back to one. */
export function History({
  recipe,
  newest,
  text,
  canRestore,
  onRestore,
}: {
  recipe: string;
  /** When the newest version was kept. */
  newest: string | null;
  text: string;
  canRestore: boolean;
  /** Resolves when the agent has everything that was written here. */
  onRestore: () => Promise<void>;
}) {
  const t = useTranslations('recipes');
  const [isWhole, setWhole] = useState(false);
  const [chosen, setChosen] = useState<string>();
  const { data: versions, error } = useQuery({
    queryKey: ['recipe-history', recipe, newest],
    queryFn: () => agent().recipes.history.query({ recipe }),
    placeholderData: keepPreviousData,
  });
  if (error) return <ErrorNote error={shownError(error)} />;
  if (!versions || versions.length === 0) return null;
  const shown = isWhole ? versions : versions.slice(0, mostShown);
  return (
    <section aria-label={t('history')} className="rounded-lg border border-line bg-surface p-4">
      <h2 className="font-medium text-[13px]">{t('history')}</h2>
      <ol className="mt-2 grid">
        {shown.map((version) => {
          const id = `${version.at} ${version.sha256}`;
          return (
            <li key={id} className="border-line border-t first:border-t-0">
              <Row
                version={version}
                isOpen={chosen === id}
                onToggle={() => setChosen(chosen === id ? undefined : id)}
              />
              {chosen === id && (
                <Comparison
                  recipe={recipe}
                  version={version.sha256}
                  text={text}
                  canRestore={canRestore}
                  onRestore={onRestore}
                />
              )}
            </li>
          );
        })}
      </ol>
      {!isWhole && versions.length > mostShown && (
        <button type="button" className="mt-2 text-[12.5px] text-ember" onClick={() => setWhole(true)}>
          {t('allVersions', { count: versions.length })}
        </button>
      )}
    </section>
  );
}

function Row({ version, isOpen, onToggle }: { version: RecipeVersion; isOpen: boolean; onToggle: () => void }) {
  const t = useTranslations('recipes');
  const format = useFormat();
  return (
    <button
      type="button"
      aria-expanded={isOpen}
      onClick={onToggle}
      className="flex w-full items-baseline gap-2 py-1.5 text-left text-[13px] hover:text-ember"
    >
      <span>{t(`why.${version.why}`)}</span>
      <span className="min-w-0 truncate text-muted">{version.by.join(', ')}</span>
      <time dateTime={version.at} className="figures ml-auto shrink-0 text-[12px] text-muted">
        {format.time(version.at)}
      </time>
    </button>
  );
}

function Comparison({
  recipe,
  version,
  text,
  canRestore,
  onRestore,
}: {
  recipe: string;
  version: string;
  text: string;
  canRestore: boolean;
  onRestore: () => Promise<void>;
}) {
  const t = useTranslations('recipes');
  const { data, error } = useQuery({
    queryKey: ['recipe-version', recipe, version, text],
    queryFn: () => agent().recipes.compare.query({ recipe, version, text }),
    placeholderData: keepPreviousData,
  });
  const restore = useMutation({
    mutationFn: async () => {
      await onRestore();
      await agent().recipes.restore.mutate({ recipe, version });
    },
  });
  const failure = error ?? restore.error;
  if (failure) return <ErrorNote error={shownError(failure)} />;
  if (!data) return null;
  const isSame = data.text === text;
  return (
    <div className="grid gap-2 pb-3 text-[12.5px]">
      {isSame && <p className="text-muted">{t('sameText')}</p>}
      {!isSame && data.changes?.length === 0 && <p className="text-muted">{t('sameKeys')}</p>}
      {data.changes === null && <p className="text-muted">{t('notComparable')}</p>}
      {data.changes && data.changes.length > 0 && (
        <table className="w-full table-fixed font-mono text-[12px]">
          <caption className="label pb-1 text-left font-sans">{t('changes')}</caption>
          <tbody>
            {data.changes.map(({ key, from, to }) => (
              <tr key={key} className="align-top [overflow-wrap:anywhere]">
                <th scope="row" className="py-0.5 pr-2 text-left font-normal">
                  {key}
                </th>
                <td className="py-0.5 pr-2 text-muted line-through">{from ?? '–'}</td>
                <td className="py-0.5">{to ?? '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <details>
        <summary className="text-muted">{t('wholeText')}</summary>
        <pre className="mt-1 max-h-64 overflow-auto rounded-md bg-sunken p-2 font-mono text-[11.5px]" tabIndex={0}>
          {data.text}
        </pre>
      </details>
      <Button
        className="justify-self-start"
        disabled={!canRestore || isSame || restore.isPending}
        onClick={() => restore.mutate()}
      >
        {t('restore')}
      </Button>
    </div>
  );
}
