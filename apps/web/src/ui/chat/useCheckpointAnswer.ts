import type { ConversationAnswer } from '@anneal/core/protocol/conversations';
import { useEffect, useState } from 'react';
import { agent } from '../../agent/connection.ts';
import { useHasSocket } from '../../agent/hooks.ts';

/** Whoever drags past a checkpoint does not ask it. */
const settledMilliseconds = 250;

/** What a checkpoint answers to the last question, as it comes. @param model null: nothing is asked */
export function useCheckpointAnswer(
  conversation: string,
  column: number,
  model: string | null,
): { answer: ConversationAnswer | undefined; error: unknown } {
  const hasSocket = useHasSocket();
  const [state, setState] = useState<{ answer?: ConversationAnswer; error?: unknown }>({});
  useEffect(() => {
    if (!hasSocket || model === null) return;
    let subscription: { unsubscribe(): void } | undefined;
    const timer = setTimeout(() => {
      subscription = agent().chat.checkpoint.subscribe(
        { conversation, column, model },
        { onData: (answer) => setState({ answer }), onError: (error) => setState({ error }) },
      );
    }, settledMilliseconds);
    return () => {
      clearTimeout(timer);
      subscription?.unsubscribe();
    };
  }, [hasSocket, conversation, column, model]);
  return { answer: state.answer, error: state.error };
}
