'use client';
import type { MissingSource, RecipeCheck } from '@anneal/core/protocol/recipes';
import { CircleAlert, CircleCheck, CloudDownload, LoaderCircle } from 'lucide-react';
import Link from 'next/link';
import { useTranslations } from 'use-intl';
import { pullAddress } from '../../agent/pullAddress.ts';
import { buttonClass } from '../Button.tsx';
import { ErrorNote, shownError } from '../ErrorNote.tsx';
import { ProblemLine } from '../ProblemLine.tsx';
import { WarningNote } from '../WarningNote.tsx';

/** What is wrong with a recipe and where, or that nothing is. */
export function Problems({
  check,
  error,
  isChecked,
  inOrder,
  onGo,
}: {
  check: RecipeCheck | undefined;
  error: unknown;
  isChecked: boolean;
  /** What is said where nothing is wrong. */
  inOrder: string;
  onGo: (line: number, column: number) => void;
}) {
  const t = useTranslations('recipes');
  if (error) return <ErrorNote error={shownError(error)} />;
  if (!check || !isChecked) {
    return (
      <p className="flex items-center gap-2 text-muted" role="status">
        <LoaderCircle className="size-4 animate-spin" aria-hidden="true" />
        {t('checking')}
      </p>
    );
  }
  const { problems, warnings, pull } = check;
  return (
    <div className="grid gap-3">
      {problems.length === 0 && pull ? (
        <Missing source={pull} />
      ) : problems.length === 0 ? (
        <p className="flex items-center gap-2 font-medium text-good" role="status">
          <CircleCheck className="size-4" aria-hidden="true" />
          {inOrder}
        </p>
      ) : (
        <p className="flex items-center gap-2 font-medium text-bad" role="status">
          <CircleAlert className="size-4" aria-hidden="true" />
          {t('problems', { count: problems.length })}
        </p>
      )}
      {problems.length > 0 && (
        <ul className="grid gap-2.5">
          {problems.map((problem) => (
            <li
              key={`${problem.where} ${problem.what}`}
              className="text-[13px] leading-[1.45] [overflow-wrap:anywhere]"
            >
              {problem.line !== undefined && (
                <button
                  type="button"
                  onClick={() => onGo(problem.line ?? 1, problem.column ?? 1)}
                  className="mr-2 font-mono text-[12px] text-ember underline decoration-ember/40 underline-offset-2 hover:decoration-ember"
                >
                  {t('line', { line: problem.line })}
                </button>
              )}
              <ProblemLine problem={problem} />
            </li>
          ))}
        </ul>
      )}
      {warnings.map((warning) => (
        <WarningNote key={warning.code} warning={warning} />
      ))}
    </div>
  );
}

/** The recipe is in order, and what it names has to be downloaded first. */
function Missing({ source: { of, name, how, request } }: { source: MissingSource }) {
  const t = useTranslations('recipes');
  return (
    <div className="grid justify-items-start gap-2">
      <p className="flex gap-2 font-medium [overflow-wrap:anywhere]" role="status">
        <CloudDownload className="mt-0.5 size-4 shrink-0 text-warn" aria-hidden="true" />
        {t(of === 'model' ? 'modelMissing' : 'dataMissing', { name })}
      </p>
      <Link href={pullAddress(request)} className={buttonClass()}>
        {t('download')}
      </Link>
      <p className="font-mono text-[12px] text-muted [overflow-wrap:anywhere]">{how}</p>
    </div>
  );
}
