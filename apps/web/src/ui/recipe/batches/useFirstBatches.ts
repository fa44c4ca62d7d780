'use client';
import type { StudioFirstBatches } from '@anneal/core/protocol/batches';
import { useCallback, useEffect, useState } from 'react';
import { agent } from '../../../agent/connection.ts';

/** As many as are looked at before a run. */
const count = 3;

interface Found {
  /** The recipe that they are of. */
  text: string;
  batches?: StudioFirstBatches;
  error?: unknown;
}

/**
 * The first batches of a recipe, when asked for.
 * @param text the recipe once it is in order
 * @param prepare saves it: the agent reads the file
 */
export function useFirstBatches(recipe: string, text: string | undefined, prepare: () => Promise<void>) {
  const [asked, setAsked] = useState<string>();
  const [found, setFound] = useState<Found>();
  useEffect(() => {
    if (asked === undefined) return;
    const subscription = agent().recipes.firstBatches.subscribe(
      { recipe, count },
      {
        onData: (batches) => setFound({ text: asked, batches }),
        onError: (error) => {
          setFound({ text: asked, error });
          setAsked(undefined);
        },
        onComplete: () => setAsked(undefined),
      },
    );
    return () => subscription.unsubscribe();
  }, [asked, recipe]);
  const ask = useCallback(async () => {
    try {
      await prepare();
      setAsked(text);
    } catch (error) {
      setFound({ text: text ?? '', error });
    }
  }, [prepare, text]);
  return {
    found,
    ask,
    stop: () => setAsked(undefined),
    isWorking: asked !== undefined,
    isOld: found !== undefined && text !== undefined && found.text !== text,
  };
}
