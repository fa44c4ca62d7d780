'use client';
import type { FormField } from '@anneal/core/protocol/recipeForm';
import { writtenKeys } from '@anneal/core/recipe/edit';
import { useTranslations } from 'use-intl';
import { ProblemLine } from '../../ProblemLine.tsx';
import { type Path, useRecipeForm } from './formContext.ts';
import { InText } from './InText.tsx';

/** Keys that are written and that no field stands for: the form hides nothing. */
export function UnknownKeys({ known, path = [] }: { known: readonly FormField[]; path?: Path }) {
  const t = useTranslations('recipes');
  const { parsed, problems } = useRecipeForm();
  const names = new Set(known.map(({ key }) => key));
  const keys = writtenKeys(parsed, path).filter((key) => !names.has(key));
  if (keys.length === 0) return null;
  return (
    <section aria-label={t('unknownKeys')} className="border-line border-t pt-3">
      <h3 className="font-medium text-[13px]">{t('unknownKeys')}</h3>
      {keys.map((key) => {
        const at = [...path, key];
        const problem = problems.find((each) => each.path.join('.') === at.join('.'));
        return (
          <div key={key} className="flex flex-wrap items-baseline gap-x-3 text-[12.5px]">
            <code className="font-mono">{key}</code>
            {problem && (
              <span className="text-bad">
                <ProblemLine problem={problem} />
              </span>
            )}
            <InText path={at} />
          </div>
        );
      })}
    </section>
  );
}
