/** The parameters of OpenAI's API: those that are heeded, those that may be there because they change nothing, and no others. */
import { mostTopLogprobs } from '@anneal/core/protocol/chat';
import { z } from 'zod';

/** Present in requests of common clients, with a value that asks for nothing; another value is refused, not ignored. */
function onlyAs(isNothing: (value: unknown) => boolean, says: string) {
  return z
    .unknown()
    .refine((value) => value === undefined || value === null || isNothing(value), says)
    .optional();
}

const isEmpty = (value: unknown): boolean => typeof value === 'object' && Object.keys(value as object).length === 0;

/** For the books of whoever runs a service; says nothing of the answer. */
const bookkeeping = {
  user: z.string().nullish(),
  safety_identifier: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  store: onlyAs((value) => value === false, 'nothing is stored: leave it out or say false'),
  service_tier: onlyAs((value) => value === 'auto' || value === 'default', 'there is one tier: auto'),
};

const shared = {
  ...bookkeeping,
  model: z.string().min(1),
  max_tokens: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .nullish(),
  stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(16)]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z
    .strictObject({
      include_usage: z.boolean().nullish(),
      include_obfuscation: onlyAs((value) => value === false, 'not supported'),
    })
    .nullish(),
  n: onlyAs((value) => value === 1, 'one answer is given: ask again with another seed'),
  frequency_penalty: onlyAs((value) => value === 0, 'not supported: repetition_penalty is'),
  presence_penalty: onlyAs((value) => value === 0, 'not supported: repetition_penalty is'),
  logit_bias: onlyAs(isEmpty, 'not supported'),
  /** As llama.cpp and vLLM name what OpenAI does not have. */
  top_k: z.int().min(0).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repetition_penalty: z.number().min(0.01).max(100).nullish(),
};

const textPart = z.strictObject({ type: z.literal('text'), text: z.string() });
const content = z.union([z.string(), z.array(textPart)], 'a text, or a list of parts of the type "text"');
const toolCall = z.strictObject({
  id: z.string(),
  type: z.literal('function'),
  /** Of a call as it was streamed. */
  index: z.int().min(0).optional(),
  function: z.strictObject({ name: z.string(), arguments: z.string() }),
});

/** An answer of ours can be sent back as it is: what it has beside the text is null or empty. */
const leftOver = {
  refusal: onlyAs(() => false, 'not supported'),
  audio: onlyAs(() => false, 'not supported'),
  function_call: onlyAs(() => false, 'not supported: use tool_calls'),
  annotations: onlyAs(isEmpty, 'not supported'),
};

const message = z.discriminatedUnion('role', [
  z.strictObject({ role: z.enum(['system', 'developer']), content, name: z.string().optional() }),
  z.strictObject({ role: z.literal('user'), content, name: z.string().optional() }),
  z.strictObject({
    role: z.literal('assistant'),
    content: content.nullish(),
    name: z.string().optional(),
    tool_calls: z.array(toolCall).nullish(),
    ...leftOver,
  }),
  z.strictObject({ role: z.literal('tool'), content, tool_call_id: z.string(), name: z.string().optional() }),
]);
export type RequestedMessage = z.infer<typeof message>;

const tool = z.strictObject({
  type: z.literal('function'),
  function: z
    .object({ name: z.string().min(1), description: z.string().optional(), parameters: z.unknown().optional() })
    .loose(),
});

const chatFields = z.strictObject({
  ...shared,
  messages: z.array(message).min(1),
  max_completion_tokens: z.int().min(1).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(mostTopLogprobs).nullish(),
  tools: z.array(tool).max(128).nullish(),
  tool_choice: onlyAs((value) => value === 'auto' || value === 'none', 'the model decides: auto, or none'),
  parallel_tool_calls: onlyAs((value) => value === true, 'the model decides: leave it out or say true'),
  response_format: onlyAs(
    (value) => (value as { type?: unknown }).type === 'text',
    'only {"type": "text"} is supported',
  ),
  modalities: onlyAs(
    (value) => Array.isArray(value) && value.every((one) => one === 'text'),
    'only ["text"] is supported',
  ),
  reasoning_effort: onlyAs(() => false, 'not supported: chat_template_kwargs.enable_thinking switches thinking'),
  chat_template_kwargs: z.strictObject({ enable_thinking: z.boolean().optional() }).nullish(),
});
export type ChatParameters = z.infer<typeof chatFields>;

/** What only means something beside another parameter is not left unread either. */
export const chatParameters = chatFields.superRefine((wanted, context) => {
  const refuse = (parameter: keyof ChatParameters, why: string) =>
    context.addIssue({ code: 'custom', path: [parameter], message: why });
  if (wanted.top_logprobs != null && !wanted.logprobs) refuse('top_logprobs', 'only beside "logprobs": true');
  if (wanted.stream_options && !wanted.stream) refuse('stream_options', 'only beside "stream": true');
  const { max_tokens: most, max_completion_tokens: mostToo } = wanted;
  if (most != null && mostToo != null && most !== mostToo) {
    refuse('max_tokens', 'another number than max_completion_tokens: give one of them');
  }
});

const completionFields = z.strictObject({
  ...shared,
  prompt: z
    .union([z.string(), z.array(z.string()).length(1)], 'one text; lists of tokens are not supported')
    .transform((prompt) => (typeof prompt === 'string' ? prompt : (prompt[0] as string))),
  logprobs: z.int().min(0).max(mostTopLogprobs).nullish(),
  echo: onlyAs((value) => value === false, 'not supported'),
  suffix: onlyAs((value) => value === '', 'not supported'),
  best_of: onlyAs((value) => value === 1, 'not supported'),
});
export type CompletionParameters = z.infer<typeof completionFields>;

export const completionParameters = completionFields.superRefine((wanted, context) => {
  if (!wanted.stream_options || wanted.stream) return;
  context.addIssue({ code: 'custom', path: ['stream_options'], message: 'only beside "stream": true' });
});
