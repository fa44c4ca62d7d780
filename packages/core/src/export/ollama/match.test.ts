import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { peerTokenizer } from '../../../test/peers.ts';
import { namedTemplate } from '../../templates/namedTemplates.ts';
import { openTemplate } from '../../templates/template.ts';
import { withDefaults } from '../../templates/templateDefaults.ts';
import type { TemplateName } from '../../templates/templateNames.ts';
import { renderGoTemplate } from './goTemplate.ts';
import { matchFamily } from './match.ts';

const CHATML = `{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}`;
const SMOLLM2 = `{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are SmolLM.<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}`;
const LLAMA3 = `{% for message in messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}`;
const LLAMA2 = `{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\n' + system_message + '\n<</SYS>>\n\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}`;
const MISTRAL = `{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}{% endif %}{% endfor %}`;
const LLAMA31 = `{{- bos_token }}{%- if not date_string is defined %}{%- set date_string = "26 Jul 2024" %}{%- endif %}{%- if messages[0]['role'] == 'system' %}{%- set system_message = messages[0]['content']|trim %}{%- set messages = messages[1:] %}{%- else %}{%- set system_message = "" %}{%- endif %}{{- "<|start_header_id|>system<|end_header_id|>\n\n" }}{{- "Cutting Knowledge Date: December 2023\n" }}{{- "Today Date: " + date_string + "\n\n" }}{{- system_message }}{{- "<|eot_id|>" }}{%- for message in messages %}{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' }}{%- endfor %}{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{%- endif %}`;

const bos = (text: string) => ({ text, added: true });
const match = (source: string, start: string | null = null, added = true) =>
  matchFamily(
    openTemplate(source, { bos: start ?? undefined, eos: '</s>' }),
    start === null ? null : { text: start, added },
  );

describe('each family is recognized by what the template prints', () => {
  test.each([
    ['ChatML', CHATML, null],
    ['Llama 3', LLAMA3, '<|begin_of_text|>'],
    ['Llama 3.1', LLAMA31, '<|begin_of_text|>'],
    ['Llama 2', LLAMA2, '<s>'],
    ['Mistral', MISTRAL, '<s>'],
  ] as const)('%s', (name, source, start) => {
    expect(match(source, start)).toMatchObject({ name, system: null });
  });

  test('a default system text becomes SYSTEM', () => {
    expect(match(SMOLLM2)).toMatchObject({ name: 'ChatML', system: 'You are SmolLM.' });
  });

  test("Qwen3's empty thought is written when thinking is off", () => {
    const qwen3 = CHATML.replace(
      "{{ '<|im_start|>assistant\n' }}",
      "{{ '<|im_start|>assistant\n' }}{% if enable_thinking is defined and enable_thinking is false %}{{ '<think>\n\n</think>\n\n' }}{% endif %}",
    );
    expect(match(qwen3)).toMatchObject({ name: 'Qwen3', sampling: { temperature: 0.6 } });
  });
});

/** As Meta writes it, without the tools that it has built in. */
const LLAMA31_WITH_TOOLS = LLAMA31.replace(
  '{%- for message in messages %}',
  `{%- if tools %}{{- '<|start_header_id|>user<|end_header_id|>\n\nGiven the following functions, please respond with a JSON for a function call with its proper arguments that best answers the given prompt.\n\nRespond in the format {"name": function name, "parameters": dictionary of argument name and its value}.Do not use variables.\n\n' }}{%- for t in tools %}{{- t | tojson(indent=4) }}{{- "\n\n" }}{%- endfor %}{{- messages[0].content | trim + '<|eot_id|>' }}{%- set messages = messages[1:] %}{%- endif %}{%- for message in messages %}{%- if message.tool_calls %}{%- if message.tool_calls | length != 1 %}{{- raise_exception('one call at a time') }}{%- endif %}{{- '<|start_header_id|>assistant<|end_header_id|>\n\n{"name": "' + message.tool_calls[0].function.name + '", "parameters": ' + message.tool_calls[0].function.arguments | tojson + '}<|eot_id|>' }}{%- continue %}{%- elif message.role == 'tool' %}{{- '<|start_header_id|>ipython<|end_header_id|>\n\n' + message.content | tojson + '<|eot_id|>' }}{%- continue %}{%- endif %}`,
).replace('{{- "Cutting', '{%- if tools %}{{- "Environment: ipython\\n" }}{%- endif %}{{- "Cutting');

test("Llama 3.1's tools stand in the first user turn, their results are JSON", () => {
  expect(match(LLAMA31_WITH_TOOLS, '<|begin_of_text|>')).toMatchObject({ name: 'Llama 3.1', tools: true });
  const others = LLAMA31_WITH_TOOLS.replace('"parameters": \' +', '"arguments": \' +');
  expect(others).not.toBe(LLAMA31_WITH_TOOLS);
  expect(match(others, '<|begin_of_text|>')?.tools).toBeUndefined();
});

/** As Mistral's third tokenizer wants it, of which there are two: with a blank after control tokens, and without. */
const mistralWithTools = (gap: string): string =>
  `{%- if messages[0].role == 'system' %}{% set system = messages[0].content %}{% set messages = messages[1:] %}{% endif %}{% set users = messages | selectattr('role', 'equalto', 'user') | list %}{{- bos_token }}{%- for m in messages %}{%- if m.role == 'user' %}{%- if tools and m == users[-1] %}{{- '[AVAILABLE_TOOLS]${gap}' + tools | tojson + '[/AVAILABLE_TOOLS]' }}{%- endif %}{{- '[INST]${gap}' + (system + '\n\n' if loop.last and system is defined else '') + m.content + '[/INST]' }}{%- elif m.tool_calls %}{{- '[TOOL_CALLS]${gap}[' }}{%- for call in m.tool_calls %}{{- (call.function | tojson)[:-1] + ', "id": "' + call.id + '"}' + (']' if loop.last else ', ') }}{%- endfor %}{{- eos_token }}{%- elif m.role == 'tool' %}{{- '[TOOL_RESULTS]${gap}{"content": ' + m.content + ', "call_id": "' + m.tool_call_id + '"}[/TOOL_RESULTS]' }}{%- else %}{{- '${gap}' + m.content + eos_token }}{%- endif %}{%- endfor %}`;

test.each(['', ' '])("Mistral's calls and results name each other by ids, with %j after control tokens", (gap) => {
  const source = mistralWithTools(gap);
  const found = match(source, '<s>');
  expect(found).toMatchObject({ name: 'Mistral', tools: true });
  const ids = [...renderGoTemplate(found?.template ?? '', TWO_CALLS).matchAll(/"(?:call_)?id": "(\w+)"/g)];
  expect(ids.map(([, id]) => id)).toEqual(['call00001', 'call00002', 'call00001', 'call00002']);
  expect(match(source.replace('"call_id"', '"id"'), '<s>')).toMatchObject({ name: 'Mistral', stops: ['</s>'] });
  expect(match(source.replace('"call_id"', '"id"'), '<s>')?.tools).toBeUndefined();
});

const askedFor = (name: string) => ({ Function: { Name: name, Arguments: '{}' } });
const TWO_CALLS = {
  Messages: [
    { Role: 'user', Content: 'Both?' },
    { Role: 'assistant', Content: '', ToolCalls: [askedFor('a'), askedFor('b')] },
    { Role: 'tool', Content: '1' },
    { Role: 'tool', Content: '2' },
  ],
  Tools: [],
  System: '',
};

test('a beginning token that the tokenizer does not add is written out', () => {
  const written = match(LLAMA3, '<|begin_of_text|>', false);
  expect(written?.template.startsWith('<|begin_of_text|>')).toBe(true);
  expect(match(CHATML, '<s>', true)).toBeNull();
  expect(matchFamily(openTemplate(CHATML, {}), { ...bos('<s>'), added: false })).not.toBeNull();
});

test('one different character, and the template is of no family: what it prints is written', () => {
  const name = 'Written from what the chat template prints';
  expect(match(CHATML.replace('<|im_end|>', '<|im_stop|>'))).toMatchObject({
    name,
    template: expect.stringContaining('<|im_stop|>'),
  });
  expect(match(LLAMA3.replace('\n\n', '\n'), '<|begin_of_text|>')).toMatchObject({ name });
  const counting = CHATML.replace("message['content']", "message['content'] + loop.index | string");
  expect(match(counting)).toBeNull();
  expect(match('{{ raise_exception("no") }}')).toBeNull();
});

test('what Ollama will render is what the chat template renders', () => {
  const found = match(SMOLLM2);
  const rendered = renderGoTemplate(found?.template ?? '', {
    Messages: [
      { Role: 'system', Content: found?.system },
      { Role: 'user', Content: 'Hi' },
    ],
    System: found?.system,
  });
  const expected = openTemplate(SMOLLM2, {}).render([{ role: 'user', content: 'Hi' }], { addGenerationPrompt: true });
  expect(rendered).toBe(expected);
});

const named = (name: TemplateName) => match(namedTemplate(name, false));

describe('tools', () => {
  test.each([
    ['hermes', 'ChatML'],
    ['qwen3', 'Qwen3'],
  ] as const)('the template %s: definitions, calls and results are written', (template, name) => {
    expect(named(template)).toMatchObject({ name, tools: true });
  });

  test('a template that writes calls in another way has no family with tools', () => {
    const other = namedTemplate('hermes', false).replaceAll('<tool_call>', '<call>');
    expect(match(other)).toMatchObject({ name: 'ChatML', template: expect.not.stringContaining('Tools') });
    expect(match(CHATML)?.tools).toBeUndefined();
  });

  test('Ollama finds how calls begin: the first text where .ToolCalls is asked for', () => {
    const { template = '' } = named('hermes') ?? {};
    const [, calls = ''] = template.split('{{ if .ToolCalls }}');
    expect(calls).toMatch(/^(?:\{\{[^}]*\}\})*<tool_call>/);
  });

  test('a template for tools may be another', () => {
    const plain = openTemplate(CHATML, {});
    const forTools = openTemplate(namedTemplate('hermes', false), {});
    expect(matchFamily(plain, null, undefined, forTools)).toMatchObject({ tools: true });
  });
});

test('a model that thinks only when asked to, or never, is written as it was trained', () => {
  const qwen3 = namedTemplate('qwen3', false);
  const unset = withDefaults(qwen3, { enable_thinking: false });
  expect(match(unset)?.template).toContain('{{ if not (and .IsThinkSet .Think) }}<think>');
  const never = qwen3.replace("if enable_thinking is defined and enable_thinking is false else ''", '');
  expect(match(never)).toMatchObject({ name: 'Qwen3', tools: true });
});

const text = (token: string | { content: string } | null): string | undefined =>
  typeof token === 'string' ? token : token?.content;

test.each([
  ['qwen3', 'Qwen3', true],
  ['llama3_1', 'Llama 3', undefined],
  ['deepseek_v3', 'DeepSeek-R1', undefined],
] as const)('the published template of %s is of the family %s, with tools: %s', async (published, name, tools) => {
  const folder = await peerTokenizer(published);
  if (folder === null) return;
  const config = JSON.parse(readFileSync(join(folder, 'tokenizer_config.json'), 'utf8'));
  const start = text(config.bos_token);
  const template = openTemplate(config.chat_template, { bos: start, eos: text(config.eos_token) });
  expect(matchFamily(template, start === undefined ? null : bos(start))).toMatchObject({
    name,
    system: null,
    ...(tools && { tools }),
  });
});
