'use client';
import { useProblemText } from '../../../i18n/problems.tsx';
import { type Path, useRecipeForm } from './formContext.ts';

/** What is wrong with a mapping itself, rather than with one of its fields. */
export function OwnProblems({ path }: { path: Path }) {
  const { problems } = useRecipeForm();
  const told = useProblemText();
  return problems
    .filter((problem) => problem.path.join('.') === path.join('.'))
    .map((problem, i) => {
      const { what, next } = told(problem);
      return (
        <p key={`${problem.code} ${i}`} className="text-[12.5px] leading-[1.45] [overflow-wrap:anywhere]">
          <span className="text-bad">{what}</span> <span className="text-muted">{next}</span>
        </p>
      );
    });
}
