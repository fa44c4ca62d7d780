/** Tools of a conversation: their definitions, and what was called, as messages. */
import { toolDefinitions } from '@anneal/core/datasets/toolDefinitions';
import type { Message } from '@anneal/core/protocol/chat';
import type { ChatSettings, ConversationAnswer } from '@anneal/core/protocol/conversations';
import { parseJson } from '@anneal/formats/json';

/** Null for none. @throws UserError `tools_invalid`, `json_invalid` */
export function toolsOf({ tools }: Pick<ChatSettings, 'tools'>): readonly unknown[] | null {
  if (tools.trim() === '') return null;
  const where = 'tools of the conversation';
  return toolDefinitions(parseJson(new TextEncoder().encode(tools), where), where);
}

export function toolNames(tools: readonly unknown[] | null): string[] {
  return (tools ?? []).map((tool) => (tool as { function: { name: string } }).function.name);
}

/** What an answer says apart from its calls. */
export function wordsOf({ text, callsAt }: Pick<ConversationAnswer, 'text' | 'callsAt'>): string {
  return callsAt === null ? text : text.slice(0, callsAt);
}

/** An answer as the next question finds it. Calls that got no results stay its text: as calls nothing but their results may follow them. */
export function saidIn({ earlier, text }: Pick<ConversationAnswer, 'earlier' | 'text'>): Message[] {
  return [...earlier.flatMap(partAsMessages), { role: 'assistant', content: text }];
}

/** Calls, and what they gave. */
export function partAsMessages({ text, calls }: ConversationAnswer['earlier'][number]): Message[] {
  return [
    {
      role: 'assistant',
      content: text,
      tool_calls: calls.map(({ id, type, function: called }) => ({ id, type, function: called })),
    },
    ...calls.map(({ id, function: { name }, result }) => ({ role: 'tool', tool_call_id: id, name, content: result })),
  ];
}
