import { useQuery } from '@tanstack/react-query';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { agent } from '../../../agent/connection.ts';
import { useHasSocket } from '../../../agent/hooks.ts';
import { LiveRecipe, type LiveState } from './liveRecipe.ts';

export interface OpenedRecipe {
  live: LiveRecipe | undefined;
  error: unknown;
  /** Opens the document that there is now. */
  openAnew(): void;
}

export function useLiveRecipe(recipe: string): OpenedRecipe {
  const enabled = useHasSocket();
  const { data, error, refetch } = useQuery({
    queryKey: ['recipe-document', recipe],
    queryFn: () => agent().recipes.open.query({ recipe }),
    enabled,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  const [live, setLive] = useState<LiveRecipe>();
  const name = data?.document;
  useEffect(() => {
    if (name === undefined) return;
    const opened = new LiveRecipe(name);
    setLive(opened);
    return () => {
      setLive(undefined);
      opened.close();
    };
  }, [name]);
  return { live, error, openAnew: () => void refetch() };
}

export function useLiveState(live: LiveRecipe): LiveState {
  return useSyncExternalStore(live.state.subscribe, live.state.get, live.state.get);
}

/** The text, at every change. */
export function useLiveText(live: LiveRecipe): string {
  const [text, setText] = useState(() => live.text.toString());
  useEffect(() => {
    const read = () => setText(live.text.toString());
    read();
    live.text.observe(read);
    return () => live.text.unobserve(read);
  }, [live]);
  return text;
}
