'use client';
import { type ToldProblem, useProblemText } from '../i18n/problems.tsx';
import { AgentWords } from './AgentWords.tsx';

/** A problem among other lines: what, and what to do. */
export function ProblemLine({ problem }: { problem: ToldProblem }) {
  const { what, next, said } = useProblemText()(problem);
  return (
    <>
      {what} <span className="text-muted">{next}</span>
      <AgentWords said={said} />
    </>
  );
}
