/** How far somebody new has come on the way to a first model of their own, as this browser remembers it. */
import { useEffect, useSyncExternalStore } from 'react';
import { createStore } from './store.ts';

export const firstSteps = ['data', 'recipe', 'train', 'chat', 'export'] as const;
export type FirstStep = (typeof firstSteps)[number];

/** How many of them were reached, in their order; `closed` for who has seen enough, `unknown` until the agent has told of its runs. */
export type Way = number | 'closed' | 'unknown';

const storageKey = 'anneal-first-steps';
const store = createStore<Way | undefined>(undefined);

export function useWay(): Way {
  return useSyncExternalStore(store.read.subscribe, current, () => 'unknown');
}

const settled = createStore(false);
export const stepsSettled = settled.read;

/** The first steps stand where they are to stand, or there are none, or nothing waits for them any longer. */
export function useStepsSettled(): boolean {
  const way = useWay();
  const isSettled = useSyncExternalStore(stepsSettled.subscribe, stepsSettled.get, () => false);
  useEffect(settleSoon, []);
  return way === 'closed' || isSettled;
}

/** An agent that is slow to tell of its runs hides no page. Returns what calls it off. */
export function settleSoon(): () => void {
  const timer = setTimeout(tellSettled, 1000);
  return () => clearTimeout(timer);
}

export function tellSettled(): void {
  settled.set(true);
}

export function rememberWay(way: Way): void {
  localStorage.setItem(storageKey, String(way));
  store.set(way);
}

/** Which step a page is; undefined for one that is none. */
export function stepOfPage(path: string, tab: string | null): FirstStep | undefined {
  if (path.startsWith('/data')) return 'data';
  if (path.startsWith('/recipes')) return 'recipe';
  if (path.startsWith('/run')) return tab === 'exports' ? 'export' : 'train';
  return path.startsWith('/chat') ? 'chat' : undefined;
}

/** What an older page or somebody else may have written is no way. */
export function parsedWay(text: string | null): Way {
  if (text === 'closed') return text;
  return text !== null && /^[0-5]$/.test(text) ? Number(text) : 'unknown';
}

function current(): Way {
  const known = store.read.get();
  if (known !== undefined) return known;
  const way = parsedWay(localStorage.getItem(storageKey));
  store.set(way);
  return way;
}
