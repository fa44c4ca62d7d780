import type { Conversation, ConversationNews } from '@anneal/core/protocol/conversations';
import { useEffect, useState } from 'react';
import { agent } from './connection.ts';
import { useHasSocket } from './hooks.ts';

/** A conversation as it goes on. After a pause the whole of it comes again, so that nothing is missing. */
export function useConversation(id: string | null): { conversation: Conversation | undefined; error: unknown } {
  const hasSocket = useHasSocket();
  const [state, setState] = useState<{ id: string; conversation?: Conversation; error?: unknown }>();
  useEffect(() => {
    if (!hasSocket || id === null) return;
    let now: Conversation | undefined;
    const subscription = agent().chat.follow.subscribe(
      { conversation: id },
      {
        onData: (news) => {
          now = withNews(now, news);
          if (now) setState({ id, conversation: now });
        },
        onError: (error) => setState({ id, error }),
      },
    );
    return () => subscription.unsubscribe();
  }, [hasSocket, id]);
  const current = state?.id === id ? state : undefined;
  return { conversation: current?.conversation, error: current?.error };
}

export function withNews(before: Conversation | undefined, news: ConversationNews): Conversation | undefined {
  if ('whole' in news) return news.whole;
  if (!before) return undefined;
  const turns = [...before.turns];
  for (const { turn, column, from, answer } of news.answers) {
    const asked = turns[turn];
    if (!asked) continue;
    const answers = [...asked.answers];
    const { earlier = [], text = '' } = answers[column] ?? {};
    answers[column] = { ...answer, earlier, text: text.slice(0, from) + answer.text };
    turns[turn] = { ...asked, answers };
  }
  return { ...before, turns };
}
