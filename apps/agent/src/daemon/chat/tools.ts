/** Tools of a conversation: their definitions, and what was called, as messages. */
import { noToolDefinitions, toolDefinitions } from '@anneal/core/datasets/toolDefinitions';
import { UserError } from '@anneal/core/errors';
import type { Message } from '@anneal/core/protocol/chat';
import type { ChatSettings, ConversationAnswer } from '@anneal/core/protocol/conversations';
import { parseJson } from '@anneal/formats/json';

/** Null for none. @throws UserError `tools_invalid` */
export function toolsOf({ tools }: Pick<ChatSettings, 'tools'>): readonly unknown[] | null {
  if (tools.trim() === '') return null;
  const where = 'tools of the conversation';
  return toolDefinitions(typedJson(tools, where), where);
}

/** Of a file that is no JSON one is told to fetch it again; this was typed. */
function typedJson(text: string, where: string): unknown {
  try {
    return parseJson(new TextEncoder().encode(text), where);
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    throw noToolDefinitions(`these are no definitions of tools: ${cause.what}`, where, cause);
  }
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
