import type { ChatFamily } from './chatFamily.ts';

/** Hermes' description of the tools, which Qwen's templates share, at the beginning of the system turn. */
const TOOLS = `{{ if .Tools }}<|im_start|>system
{{ if .System }}{{ .System }}

{{ end }}# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>{{ range .Tools }}
{"type": "function", "function": {{ .Function }}}{{ end }}
</tools>

For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call><|im_end|>
{{ end }}`;

/**
 * The calls after what a message says. Ollama finds out how calls begin by the first text within \`if .ToolCalls\`; a condition without
 * text before it would end its search.
 */
const CALLS = `{{ if .Content }}{{ if $m.ToolCalls }}
{{ end }}{{ end }}{{ if .ToolCalls }}{{ range $j, $call := .ToolCalls }}{{ if not $j }}<tool_call>{{ else }}
<tool_call>{{ end }}
{"name": "{{ .Function.Name }}", "arguments": {{ .Function.Arguments }}}
</tool_call>{{ end }}{{ end }}`;

/**
 * A ChatML family with tools: results of tools that follow each other share one user turn.
 * @param start before the first turn, @param thought before what a message says (`$i`, `$m`), @param end after the opening of the answer
 */
export function withTools(
  family: ChatFamily,
  { start = '', thought = '', end = '' }: { start?: string; thought?: string; end?: string } = {},
): ChatFamily {
  return {
    ...family,
    tools: true,
    template: `${start}${TOOLS}{{ $last := "" }}{{ range $i, $m := .Messages }}{{ if eq .Role "tool" }}{{ if ne $last "tool" }}<|im_start|>user{{ end }}
<tool_response>
{{ .Content }}
</tool_response>{{ else }}{{ if eq $last "tool" }}<|im_end|>
{{ end }}{{ if not (and $.Tools (eq .Role "system")) }}<|im_start|>{{ .Role }}
${thought}{{ .Content }}${CALLS}<|im_end|>
{{ end }}{{ end }}{{ $last = .Role }}{{ end }}{{ if eq $last "tool" }}<|im_end|>
{{ end }}<|im_start|>assistant
${end}`,
  };
}
