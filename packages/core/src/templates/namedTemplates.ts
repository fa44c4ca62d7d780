import { templateOfPrompt } from './promptFormat.ts';
import type { TemplateName } from './templateNames.ts';

const CHATML = String.raw`
{%- for message in messages -%}
  {{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%}`;

/** The definitions of tools in the system turn, as Hermes and Qwen write them. */
const SYSTEM_WITH_TOOLS = String.raw`
{%- set has_system = messages[0].role == 'system' -%}
{%- if tools -%}
  {{- '<|im_start|>system\n' + (messages[0].content + '\n\n' if has_system else '') -}}
  {{- '# Tools\n\nYou may call one or more functions to assist with the user query.\n\n' -}}
  {{- 'You are provided with function signatures within <tools></tools> XML tags:\n<tools>' -}}
  {%- for tool in tools -%}{{- '\n' + (tool | tojson) -}}{%- endfor -%}
  {{- '\n</tools>\n\nFor each function call, return a json object with function name and arguments within ' -}}
  {{- '<tool_call></tool_call> XML tags:\n<tool_call>\n' -}}
  {{- '{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call><|im_end|>\n' -}}
{%- elif has_system -%}
  {{- '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' -}}
{%- endif -%}`;

/** A turn after the first system turn. @param answer prints what an assistant says, without its calls, from \`content\` */
const turnWithTools = (answer: string): string => String.raw`
{%- if message.role == 'tool' -%}
  {{- '<|im_start|>user' if loop.first or messages[loop.index0 - 1].role != 'tool' else '' -}}
  {{- '\n<tool_response>\n' + message.content + '\n</tool_response>' -}}
  {{- '<|im_end|>\n' if loop.last or messages[loop.index0 + 1].role != 'tool' else '' -}}
{%- elif message.role == 'assistant' -%}
  {%- set content = message.content or '' -%}
  {{- '<|im_start|>assistant\n' -}}
  ${answer}
  {%- for call in message.tool_calls or [] -%}
    {%- set function = call.function or call -%}
    {{- '\n' if content or not loop.first else '' -}}
    {{- '<tool_call>\n{"name": "' + function.name + '", "arguments": ' -}}
    {{- function.arguments if function.arguments is string else function.arguments | tojson -}}
    {{- '}\n</tool_call>' -}}
  {%- endfor -%}
  {{- '<|im_end|>\n' -}}
{%- elif message.role != 'system' or not loop.first -%}
  {{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' -}}
{%- endif -%}`;

const HERMES = String.raw`${SYSTEM_WITH_TOOLS}
{%- for message in messages -%}${turnWithTools('{{- content -}}')}{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%}`;

/** What was thought is printed after the last question only: for the answer to it, and before the calls that lead there. */
const QWEN3 = String.raw`${SYSTEM_WITH_TOOLS}
{%- set last = namespace(question=messages | length - 1, found=false) -%}
{%- for message in messages[::-1] -%}
  {%- set is_result = message.role == 'user' and message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>') -%}
  {%- if message.role == 'user' and not is_result and not last.found -%}
    {%- set last.question = messages | length - 1 - loop.index0 -%}
    {%- set last.found = true -%}
  {%- endif -%}
{%- endfor -%}
{%- for message in messages -%}${turnWithTools(String.raw`
  {%- set thought = message.reasoning_content or '' -%}
  {%- if not thought and '</think>' in content -%}
    {%- set thought = content.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') -%}
    {%- set content = content.split('</think>')[-1].lstrip('\n') -%}
  {%- endif -%}
  {%- if loop.index0 > last.question and (loop.last or thought) -%}
    {{- '<think>\n' + thought.strip('\n') + '\n</think>\n\n' + content.lstrip('\n') -}}
  {%- else -%}
    {{- content -}}
  {%- endif -%}`)}{%- endfor -%}
{%- if add_generation_prompt -%}
  {{- '<|im_start|>assistant\n' -}}
  {{- '<think>\n\n</think>\n\n' if enable_thinking is defined and enable_thinking is false else '' -}}
{%- endif -%}`;

const LLAMA3 = String.raw`
{{- bos_token -}}
{%- for message in messages -%}
  {{- '<|start_header_id|>' + message.role + '<|end_header_id|>\n\n' + (message.content | trim) + '<|eot_id|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' -}}{%- endif -%}`;

/** Neither has a system turn: its text begins the first question. @param turns prints \`message\` after \`before\` */
const alternating = (turns: string): string => String.raw`
{{- bos_token -}}
{%- set has_system = messages[0].role == 'system' -%}
{%- for message in messages[1:] if has_system else messages -%}
  {%- if message.role != ('user' if loop.index0 % 2 == 0 else 'assistant') -%}
    {{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') -}}
  {%- endif -%}
  {%- set before = messages[0].content + '\n\n' if has_system and loop.first else '' -%}
  ${turns}
{%- endfor -%}`;

const MISTRAL = alternating(String.raw`
  {%- if message.role == 'user' -%}{{- '[INST] ' + before + message.content + ' [/INST]' -}}
  {%- else -%}{{- message.content + eos_token -}}{%- endif -%}`);

const GEMMA = String.raw`${alternating(String.raw`
  {{- '<start_of_turn>' + ('model' if message.role == 'assistant' else 'user') + '\n' -}}
  {{- before + (message.content | trim) + '<end_of_turn>\n' -}}`)}
{%- if add_generation_prompt -%}{{- '<start_of_turn>model\n' -}}{%- endif -%}`;

const ALPACA = {
  format: '### Instruction:\n{instruction}\n\n### Response:\n',
  noInputFormat: null,
  systemFormat: '{system}\n\n',
  systemPrompt:
    'Below is an instruction that describes a task. Write a response that appropriately completes the request.',
};

/**
 * The Jinja source of a template by its name. The tokenizer must have the control tokens that it prints.
 * @param addsBos the tokenizer begins plain texts with its BOS token
 */
export function namedTemplate(name: TemplateName, addsBos: boolean): string {
  if (name === 'alpaca') return templateOfPrompt(ALPACA, addsBos);
  const sources = { chatml: CHATML, hermes: HERMES, qwen3: QWEN3, llama3: LLAMA3, mistral: MISTRAL, gemma: GEMMA };
  return sources[name];
}
