/** From OpenAI's parameters to what a loaded model is asked. */
import { randomInt } from 'node:crypto';
import type { AnswerRequest, Message } from '@anneal/core/protocol/chat';
import type { ChatParameters, CompletionParameters, RequestedMessage } from './parameters.ts';

/** As many tokens as the context has room for. */
const untilContextEnds = 1 << 20;
/** Of completions, as OpenAI has it. */
const usualCompletion = 16;

export function chatRequest(wanted: ChatParameters): AnswerRequest {
  const { messages, tools, tool_choice: choice, logprobs, top_logprobs: top, chat_template_kwargs: template } = wanted;
  return {
    ...sampling(wanted),
    messages: messages.map(messageOf),
    maxTokens: wanted.max_completion_tokens ?? wanted.max_tokens ?? untilContextEnds,
    tools: tools && tools.length > 0 && choice !== 'none' ? tools : null,
    topLogprobs: logprobs ? (top ?? 0) : null,
    ...(template?.enable_thinking !== undefined && { thinking: template.enable_thinking }),
  };
}

export function completionRequest(wanted: CompletionParameters): AnswerRequest {
  return {
    ...sampling(wanted),
    plain: true,
    messages: [{ role: 'user', content: wanted.prompt }],
    maxTokens: wanted.max_tokens ?? usualCompletion,
    topLogprobs: wanted.logprobs ?? null,
  };
}

function sampling(wanted: ChatParameters | CompletionParameters) {
  const { temperature, top_p: topP, top_k: topK, min_p: minP, repetition_penalty: repetitionPenalty, stop } = wanted;
  const asked = { temperature, topP, topK, minP, repetitionPenalty };
  const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value != null));
  return {
    ...(given as Partial<Record<keyof typeof asked, number>>),
    stop: stop == null ? [] : [stop].flat(),
    // Without a seed two answers differ, as clients expect.
    seed: wanted.seed ?? randomInt(2 ** 32),
  };
}

/** Templates know `system`; `developer` is OpenAI's newer word for it. */
function messageOf({ role, content, name, ...more }: RequestedMessage): Message {
  const text =
    content == null || typeof content === 'string' ? (content ?? null) : content.map((part) => part.text).join('');
  return {
    role: role === 'developer' ? 'system' : role,
    content: text,
    ...(name !== undefined && { name }),
    ...('tool_calls' in more && more.tool_calls && { tool_calls: more.tool_calls }),
    ...('tool_call_id' in more && { tool_call_id: more.tool_call_id }),
  };
}
