'use client';
import { type ToldProblem, useProblemText } from '../i18n/problems.tsx';
import { AgentWords } from './AgentWords.tsx';
import { CodeText } from './CodeText.tsx';

/** A problem among other lines: what, and what to do. */
export function ProblemLine({ problem }: { problem: ToldProblem }) {
  const { what, next, said } = useProblemText()(problem);
  return (
    <>
      <CodeText text={what} />
      {next && (
        <span className="block text-muted">
          <CodeText text={next} />
        </span>
      )}
      <AgentWords said={said} />
    </>
  );
}
