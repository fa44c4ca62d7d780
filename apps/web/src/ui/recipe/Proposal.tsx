'use client';
import type { FormSection } from '@anneal/core/protocol/recipeForm';
import type { RecipeCheck } from '@anneal/core/protocol/recipes';
import { parseText, readValue, sourceOf } from '@anneal/core/recipe/edit';
import { pathOf, proposedEdits, type Settings } from '@anneal/core/recipe/propose';
import Link from 'next/link';
import { parseAsString, useQueryStates } from 'nuqs';
import { useState } from 'react';
import { useTranslations } from 'use-intl';
import { Button } from '../Button.tsx';
import { valueAt } from './form/formContext.ts';
import type { LiveRecipe } from './live/liveRecipe.ts';

interface ProposalProps {
  live: LiveRecipe;
  text: string;
  /** Undefined until it has come. */
  sections: readonly FormSection[] | undefined;
  values: RecipeCheck['values'];
  isReadOnly: boolean;
}

/** A change that the address of the page proposes, as the doctor of a run does; nothing is written before somebody says so. */
export function Proposal(props: ProposalProps) {
  const t = useTranslations('recipes.proposal');
  const [{ change, run }, setAddress] = useQueryStates({ change: parseAsString, run: parseAsString });
  if (change === null) return null;
  const settings = readSettings(change);
  const leave = () => void setAddress({ change: null, run: null });
  return (
    <section aria-label={t('title')} className="rounded-lg border border-ember/40 bg-ember-soft p-4 mb-5">
      <h2 className="font-semibold text-[14px]">{t('title')}</h2>
      {run !== null && (
        <p className="text-[13px] text-muted [overflow-wrap:anywhere]">
          <Link href={`/run?id=${encodeURIComponent(run)}`} className="underline underline-offset-2">
            {t('of', { run: run.split('/').at(-1) ?? run })}
          </Link>
        </p>
      )}
      {settings ? (
        <Change {...props} settings={settings} onLeave={leave} />
      ) : (
        <div className="grid justify-items-start gap-2 pt-2">
          <p role="alert">{t('unreadable')}</p>
          <Button onClick={leave}>{t('dismiss')}</Button>
        </div>
      )}
    </section>
  );
}

function Change({
  live,
  text,
  sections,
  values,
  isReadOnly,
  settings,
  onLeave,
}: ProposalProps & { settings: Settings; onLeave: () => void }) {
  const t = useTranslations('recipes.proposal');
  const [isRefused, setRefused] = useState(false);
  const parsed = parseText(text);
  const fields = sections?.flatMap((section) => section.fields);
  const order = fields?.map(({ key }) => key);
  const excludedBy = (key: string) => fields?.find((field) => field.key === key)?.insteadOf ?? [];
  const rows = Object.entries(settings).map(([key, value]) => {
    const known = valueAt(values, pathOf(key));
    const now = readValue(parsed, pathOf(key))?.source ?? (known === undefined ? null : sourceOf(known));
    return { key, now, proposed: sourceOf(value) };
  });
  const whole = order && proposedEdits(text, settings, order, excludedBy);
  const takenOut = (whole?.takenOut ?? []).map((key) => {
    return { key, now: readValue(parsed, [key])?.source ?? null, proposed: t('takenOut') };
  });
  const isDone = whole?.edits.length === 0;
  const apply = () => {
    const change = proposedEdits(live.text.toString(), settings, order ?? [], excludedBy);
    if (!change) return setRefused(true);
    // One Ctrl+Z takes all of it back, and nothing else.
    live.undo.stopCapturing();
    for (const edit of change.edits) live.edit(edit);
    live.undo.stopCapturing();
    onLeave();
  };
  return (
    <>
      <div className="overflow-x-auto" tabIndex={0}>
        <table className="mt-2 font-mono text-[12.5px]">
          <thead className="text-left text-muted">
            <tr>
              {(['key', 'now', 'proposed'] as const).map((column) => (
                <th key={column} scope="col" className="py-0.5 pr-5 font-normal font-sans text-[12px]">
                  {t(column)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {[...rows, ...takenOut].map(({ key, now, proposed }) => (
              <tr key={key} className="align-top">
                <th scope="row" className="py-0.5 pr-5 text-left font-normal">
                  {key}
                </th>
                <td className="py-0.5 pr-5 text-muted">{now ?? '–'}</td>
                <td className="py-0.5 font-medium">{proposed}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {isDone && <p className="pt-2 text-[13px]">{t('same')}</p>}
      {isRefused && (
        <p role="alert" className="pt-2 text-[13px] text-bad">
          {t('refused')}
        </p>
      )}
      <div className="flex flex-wrap gap-2 pt-3">
        {!isDone && (
          <Button look="primary" disabled={isReadOnly || order === undefined} onClick={apply}>
            {t('apply')}
          </Button>
        )}
        <Button onClick={onLeave}>{t('dismiss')}</Button>
      </div>
    </>
  );
}

function readSettings(text: string): Settings | undefined {
  try {
    const settings: unknown = JSON.parse(text);
    const isMapping = typeof settings === 'object' && settings !== null && !Array.isArray(settings);
    return isMapping && Object.keys(settings).length > 0 ? (settings as Settings) : undefined;
  } catch {
    return undefined;
  }
}
