import { UserError } from '../errors.ts';
import { openFormat } from './formats/index.ts';
import { parseJson } from './rowJson.ts';
import type { Conversation } from './types.ts';

/**
 * A conversation that somebody wrote down to have it answered, read as rows of data are: calls of tools in OpenAI's form, contents as parts.
 * @param text JSON: a list of messages, or `{messages, tools}`
 * @throws UserError `messages_invalid`
 */
export function writtenConversation(text: string, where: string): Conversation {
  const invalid = (what: string, cause?: unknown): UserError =>
    new UserError({
      what: `this is no conversation: ${what}`,
      where,
      next: 'write a list such as [{"role": "user", "content": "…"}], or {"messages": […], "tools": […]}',
      code: 'messages_invalid',
      cause,
    });
  let parsed: ReturnType<typeof parseJson>;
  try {
    parsed = parseJson(text);
  } catch (cause) {
    throw invalid(`it is not valid JSON (${(cause as Error).message})`, cause);
  }
  const { value, fault } = parsed;
  if (fault !== null) throw invalid(fault);
  const row = (Array.isArray(value) ? { messages: value } : value) as { messages?: unknown; tools?: unknown } | null;
  const { messages = null, tools = null } = row ?? {};
  const read = openFormat('chat_template', [], {}, where).read({ messages, tools });
  if (read.kind === 'chat') return read;
  throw invalid(read.kind === 'dropped' ? read.detail : 'it is plain text');
}
