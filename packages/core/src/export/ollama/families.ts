import type { ChatFamily } from './chatFamily.ts';
import { withTools } from './chatmlTools.ts';

const CHATML: ChatFamily = {
  name: 'ChatML',
  template: `{{ range .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
`,
  stops: ['<|im_end|>'],
};

const LAST_USER = `{{ $lastUser := -1 }}{{ range $i, $m := .Messages }}{{ if eq $m.Role "user" }}{{ $lastUser = $i }}{{ end }}{{ end -}}
`;
const THOUGHT = `{{ if and $m.Thinking (gt $i $lastUser) }}<think>
{{ $m.Thinking }}
</think>

{{ end }}`;
const EMPTY_THOUGHT = `<think>

</think>

`;
/** Thinking is switched off where it is asked for; or everywhere else, for a model that was trained so. */
const THINKS = `{{ if and .IsThinkSet (not .Think) }}${EMPTY_THOUGHT}{{ end }}`;
const THINKS_IF_ASKED = `{{ if not (and .IsThinkSet .Think) }}${EMPTY_THOUGHT}{{ end }}`;
/** A model trained without thoughts writes none, whatever it is asked for. */
const NEVER_THINKS = EMPTY_THOUGHT;

/** ChatML in which earlier thoughts are left out, and an empty thought switches thinking off. */
const qwen3 = (opening: string): ChatFamily => ({
  name: 'Qwen3',
  template: `${LAST_USER}{{ range $i, $m := .Messages }}<|im_start|>{{ $m.Role }}
${THOUGHT}{{ $m.Content }}<|im_end|>
{{ end }}<|im_start|>assistant
${opening}`,
  stops: ['<|im_end|>'],
  sampling: { temperature: 0.6, top_p: 0.95, top_k: 20, min_p: 0 },
});

const QWEN3 = [THINKS, THINKS_IF_ASKED, NEVER_THINKS];

const LLAMA3: ChatFamily = {
  name: 'Llama 3',
  template: `{{ range .Messages }}<|start_header_id|>{{ .Role }}<|end_header_id|>

{{ .Content }}<|eot_id|>{{ end }}<|start_header_id|>assistant<|end_header_id|>

`,
  stops: ['<|eot_id|>'],
};

/** Llama 3.1 to 3.3 state two dates in a system turn that is always there. */
function llama31(today: string): ChatFamily {
  return {
    name: 'Llama 3.1',
    template: `<|start_header_id|>system<|end_header_id|>

Cutting Knowledge Date: December 2023
Today Date: ${today}

{{ .System }}<|eot_id|>{{ range .Messages }}{{ if ne .Role "system" }}<|start_header_id|>{{ .Role }}<|end_header_id|>

{{ .Content }}<|eot_id|>{{ end }}{{ end }}<|start_header_id|>assistant<|end_header_id|>

`,
    stops: ['<|eot_id|>', '<|eom_id|>'],
  };
}

const LLAMA31_TOOLS = `{{ if not $told }}{{ $told = true }}Given the following functions, please respond with a JSON for a function call with its proper arguments that best answers the given prompt.

Respond in the format {"name": function name, "parameters": dictionary of argument name and its value}.Do not use variables.

{{ range $.Tools }}{"type": "function", "function": {{ .Function }}}

{{ end }}{{ end }}`;

/** It tells of tools in the first user turn, and takes results as JSON. */
function llama31WithTools(today: string): ChatFamily {
  return {
    ...llama31(today),
    tools: true,
    template: `<|start_header_id|>system<|end_header_id|>

{{ if .Tools }}Environment: ipython
{{ end }}Cutting Knowledge Date: December 2023
Today Date: ${today}

{{ .System }}<|eot_id|>{{ $told := not .Tools }}{{ range .Messages }}{{ if eq .Role "user" }}<|start_header_id|>user<|end_header_id|>

${LLAMA31_TOOLS}{{ .Content }}<|eot_id|>{{ else if eq .Role "tool" }}<|start_header_id|>ipython<|end_header_id|>

{{ json .Content }}<|eot_id|>{{ else if eq .Role "assistant" }}<|start_header_id|>assistant<|end_header_id|>

{{ if .ToolCalls }}{{ range .ToolCalls }}{"name": "{{ .Function.Name }}", "parameters": {{ .Function.Arguments }}}{{ end }}{{ else }}{{ .Content }}{{ end }}<|eot_id|>{{ end }}{{ end }}<|start_header_id|>assistant<|end_header_id|>

`,
  };
}

const LLAMA2: ChatFamily = {
  name: 'Llama 2',
  template: `{{ $first := true }}{{ range .Messages }}{{ if eq .Role "user" }}{{ if $first }}[INST] {{ if $.System }}<<SYS>>
{{ $.System }}
<</SYS>>

{{ end }}{{ $first = false }}{{ else }}<s>[INST] {{ end }}{{ .Content }} [/INST]{{ else if eq .Role "assistant" }} {{ .Content }} </s>{{ end }}{{ end }}`,
  stops: ['</s>'],
};

/** Mistral's tokenizer versions differ in white space and in which user turn the system text joins. */
function mistral(systemJoins: 'first' | 'last', open: string, close: string, answer: string, end = '</s>'): ChatFamily {
  const chosen = systemJoins === 'first' ? 'lt $chosen 0' : 'eq $m.Role "user"';
  return {
    name: 'Mistral',
    template: `{{ $chosen := -1 }}{{ range $i, $m := .Messages }}{{ if and (eq $m.Role "user") (${chosen}) }}{{ $chosen = $i }}{{ end }}{{ end -}}
{{ range $i, $m := .Messages }}{{ if eq $m.Role "user" }}${open}{{ if and $.System (eq $i $chosen) }}{{ $.System }}

{{ end }}{{ $m.Content }}${close}{{ else if eq $m.Role "assistant" }}${answer}{{ $m.Content }}${end}{{ end }}{{ end }}`,
    stops: ['</s>'],
  };
}

/**
 * Mistral's third tokenizer: it tells of tools before the last user turn, which the system text joins if nothing follows. Calls and results
 * name each other by ids of nine characters; as Ollama hands none to a template, they are numbered.
 * @param gap after the control tokens that JSON follows, and before an answer
 */
function mistralWithTools(gap: '' | ' '): ChatFamily {
  return {
    ...mistral('last', `[INST]${gap}`, '[/INST]', gap),
    tools: true,
    template: `{{ $lastUser := -1 }}{{ $last := -1 }}{{ $calls := "" }}{{ $results := "" }}{{ range $i, $m := .Messages }}{{ $last = $i }}{{ if eq $m.Role "user" }}{{ $lastUser = $i }}{{ end }}{{ end -}}
{{ range $i, $m := .Messages }}{{ if eq .Role "user" }}{{ if and $.Tools (eq $i $lastUser) }}[AVAILABLE_TOOLS]${gap}[{{ range $k, $tool := $.Tools }}{{ if $k }}, {{ end }}{"type": "function", "function": {{ .Function }}}{{ end }}][/AVAILABLE_TOOLS]{{ end }}[INST]${gap}{{ if and $.System (eq $i $last) }}{{ $.System }}

{{ end }}{{ .Content }}[/INST]{{ else if eq .Role "tool" }}{{ $results = printf "%s." $results }}[TOOL_RESULTS]${gap}{"content": {{ .Content }}, "call_id": "{{ printf "call%05d" (len $results) }}"}[/TOOL_RESULTS]{{ else if eq .Role "assistant" }}{{ if .ToolCalls }}[TOOL_CALLS]${gap}[{{ range $k, $call := .ToolCalls }}{{ $calls = printf "%s." $calls }}{{ if $k }}, {{ end }}{"name": "{{ .Function.Name }}", "arguments": {{ .Function.Arguments }}, "id": "{{ printf "call%05d" (len $calls) }}"}{{ end }}]{{ else }}${gap}{{ .Content }}{{ end }}</s>{{ end }}{{ end }}`,
  };
}

/** DeepSeek-R1 and its distillations; later versions open the thought themselves. */
function deepseek(opening: string): ChatFamily {
  return {
    name: 'DeepSeek-R1',
    template: `{{ .System }}{{ range .Messages }}{{ if eq .Role "user" }}<｜User｜>{{ .Content }}{{ else if eq .Role "assistant" }}<｜Assistant｜>{{ .Content }}<｜end▁of▁sentence｜>{{ end }}{{ end }}<｜Assistant｜>${opening}`,
    stops: ['<｜end▁of▁sentence｜>'],
  };
}

/**
 * The families to try, those with tools first, then the plainest.
 * @param example the model's own rendering of a conversation, from which a date is taken over
 */
export function chatFamilies(example: string): ChatFamily[] {
  const today = /Today Date: (\d{2} \w{3} \d{4})\n/.exec(example)?.[1];
  return [
    withTools(CHATML),
    ...QWEN3.flatMap((opening) => [
      withTools(qwen3(opening), { start: LAST_USER, thought: THOUGHT, end: opening }),
      qwen3(opening),
    ]),
    CHATML,
    LLAMA3,
    ...(today === undefined ? [] : [llama31WithTools(today), llama31(today)]),
    LLAMA2,
    mistralWithTools(' '),
    mistralWithTools(''),
    mistral('first', '[INST] ', ' [/INST]', ' '),
    mistral('first', '[INST] ', ' [/INST]', ''),
    mistral('first', '[INST] ', ' [/INST]', '', '</s> '),
    mistral('first', ' [INST] ', ' [/INST]', ' '),
    mistral('last', '[INST] ', '[/INST]', ' '),
    mistral('last', '[INST]', '[/INST]', ''),
    deepseek(''),
    deepseek('<think>\n'),
  ];
}
