'use client';
import { useTranslations } from 'use-intl';
import type { Comparison } from '../../agent/useComparison.ts';
import { Swatch } from './Legend.tsx';
import { namesAmong } from './lines.ts';

/** The keys in which the recipes differ, with what each says there. */
export function RecipeDifferences({ comparison: { runs, recipe } }: { comparison: Comparison }) {
  const t = useTranslations('compare');
  if (recipe.length === 0) return <p className="text-muted">{t('sameRecipe')}</p>;
  const names = namesAmong(runs.map(({ run }) => run));
  return (
    // A region that scrolls: the keyboard has to reach it.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls
    <section
      aria-label={t('recipe')}
      tabIndex={0}
      className="max-h-[32rem] w-fit max-w-full overflow-auto rounded-lg border border-line bg-surface"
    >
      <table className="text-[12.5px]">
        <caption className="sr-only">{t('recipe')}</caption>
        <thead>
          <tr className="border-line border-b text-left">
            <th className="label sticky left-0 bg-surface px-3 py-2">{t('setting')}</th>
            {runs.map(({ run }, at) => (
              <th key={run.key} className="min-w-40 max-w-80 px-3 py-2 font-medium" title={run.key}>
                <span className="inline-flex items-center gap-2 [overflow-wrap:anywhere]">
                  <Swatch at={at} />
                  {names[at]}
                </span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line font-mono">
          {recipe.map((key) => (
            <tr key={key}>
              <th scope="row" className="sticky left-0 bg-surface px-3 py-1.5 text-left font-normal">
                {key}
              </th>
              {runs.map(({ run, measures }) => (
                <td key={run.key} className="max-w-80 px-3 py-1.5 align-top [overflow-wrap:anywhere]">
                  {key in measures.settings ? shown(measures.settings[key]) : '–'}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
