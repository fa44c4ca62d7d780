'use client';
/** Problems in the language of the page, where that has words for them. */
import { createContext, useContext } from 'react';

export interface ToldProblem {
  code?: string | undefined;
  what: string;
  where?: string | undefined;
  next?: string | undefined;
}

/** By code; null where the page speaks as the agent does. */
export type ProblemTexts = Readonly<Record<string, readonly [what: string, next?: string]>> | null;

export const ProblemTextsContext = createContext<ProblemTexts>(null);

export interface ShownProblem {
  what: string;
  next: string | undefined;
  /** The agent's own words, with names and numbers; null where they are what is shown. */
  said: string | null;
}

/** How a problem is said to whoever reads this page. */
export function useProblemText(): (problem: ToldProblem) => ShownProblem {
  const texts = useContext(ProblemTextsContext);
  return (problem) => problemText(problem, texts);
}

export function problemText({ code, what, next }: ToldProblem, texts: ProblemTexts): ShownProblem {
  const [translated, way] = texts?.[code ?? ''] ?? [];
  if (translated === undefined) return { what, next, said: null };
  return { what: translated, next: way, said: [what, next].filter(Boolean).join('; ') };
}
