'use client';
import type { LiveEstimate } from '@anneal/core/protocol/estimates';
import { useEffect, useState } from 'react';
import { agent } from '../../agent/connection.ts';
import { useHasSocket } from '../../agent/hooks.ts';
import { useSettled } from './useSettled.ts';

/** How long the text stands still before it is estimated. */
const settledMilliseconds = 700;

export type Estimated = Extract<LiveEstimate, { stage: 'estimated' }>;
type Unprepared = Extract<LiveEstimate, { stage: 'unprepared' }>;
interface Found {
  text: string;
  estimated?: Estimated;
  /** Large data have to be prepared first. */
  unprepared?: Unprepared;
  error?: unknown;
}

/**
 * The estimate of a recipe, made again whenever its text has changed and stands still; one that is under way is given up then. A
 * preparation that was asked for goes on to its end.
 * @param text the recipe once it is in order
 */
export function useLiveEstimate(recipe: string, text: string | undefined) {
  const hasSocket = useHasSocket();
  const settled = useSettled(text, settledMilliseconds);
  const [asked, setAsked] = useState<string>();
  const [round, setRound] = useState(0);
  const [found, setFound] = useState<Found>();
  /** The newest that is no error. */
  const [last, setLast] = useState<Found>();
  const [progress, setProgress] = useState<LiveEstimate>();
  const wanted = asked ?? (settled === text ? settled : undefined);
  const prepare = asked !== undefined;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another round is the same once more
  useEffect(() => {
    if (wanted === undefined || !hasSocket) return;
    const end = (result: Found) => {
      setFound(result);
      if (result.estimated) setLast(result);
      setProgress(undefined);
    };
    setProgress({ stage: 'waiting' });
    const subscription = agent().recipes.liveEstimate.subscribe(
      { recipe, text: wanted, prepare },
      {
        onData: (data) => {
          if (data.stage === 'estimated') end({ text: wanted, estimated: data });
          else if (data.stage === 'unprepared') end({ text: wanted, unprepared: data });
          else setProgress(data);
        },
        onError: (error) => {
          end({ text: wanted, error });
          setAsked(undefined);
        },
        onComplete: () => setAsked(undefined),
      },
    );
    return () => {
      subscription.unsubscribe();
      setProgress(undefined);
    };
  }, [recipe, wanted, prepare, hasSocket, round]);
  const { error, unprepared } = found !== undefined && found.text === text ? found : {};
  return {
    last: last?.estimated,
    /** What is shown is of another text. */
    isOld: last !== undefined && last.text !== text,
    progress,
    error,
    unprepared,
    prepare: () => setAsked(text),
    again: () => setRound((before) => before + 1),
  };
}
