'use client';
/** What a diagnosis saw of a run, or a look at the machine, in the language of the page, where that has words for it. */
import type { CheckTexts, Finding, Said } from '@anneal/core/protocol/checks';
import type { Sight, SightTexts, Unseen, UnseenCode } from '@anneal/core/protocol/sights';
import { createContext, useContext } from 'react';

export type UnseenTexts = Readonly<
  Record<UnseenCode, readonly [what: string, why: (values: Unseen['values']) => string]>
>;

/** Null where the page speaks as the agent does. */
export const SightTextsContext = createContext<{ sights: SightTexts; unseen: UnseenTexts; checks: CheckTexts } | null>(
  null,
);

/** How it is said to whoever reads this page. */
export function useSightText(): (seen: Sight) => string {
  const texts = useContext(SightTextsContext)?.sights;
  return ({ code, values, text }) => {
    const say = (texts as Record<string, ((values: Sight['values']) => string) | undefined> | undefined)?.[code];
    return say ? say(values) : text;
  };
}

/** What was found, and what to do. */
export function useCheckText(): (finding: Finding) => Finding {
  const texts = useContext(SightTextsContext)?.checks;
  const told = (said: Said): string | undefined =>
    (texts as Record<string, ((values: Said['values']) => string) | undefined> | undefined)?.[said.code]?.(said.values);
  return (finding) => {
    const { found, advice } = finding.said;
    return { ...finding, found: told(found) ?? finding.found, advice: (advice && told(advice)) ?? finding.advice };
  };
}

export function useUnseenText(): (unseen: Unseen) => { what: string; why: string } {
  const texts = useContext(SightTextsContext)?.unseen;
  return ({ code, what, why, values }) => {
    const [translated, reason] = texts?.[code] ?? [];
    return translated && reason ? { what: translated, why: reason(values) } : { what, why };
  };
}
