/**
 * gpt-oss ends an answer with `<|end|>` when the conversation goes on, with `<|return|>` when it is the last, and a call with `<|call|>`. Rows
 * of several answers were dropped as `missing_end_token`: the first of them was unknown.
 */
import { expect, it } from 'vitest';
import { openChatRenderer } from '../packages/core/src/datasets/chatRenderer.ts';
import { encode } from '../packages/core/src/datasets/encode.ts';
import { type MaskOptions, render } from '../packages/core/src/datasets/render.ts';
import type { Encoded, Message } from '../packages/core/src/datasets/types.ts';
import { openTokenizer, type Tokenizer } from '../packages/core/src/tokenizers/tokenizer.ts';
import { byteTokenizer } from '../packages/core/test/byteTokenizer.ts';
import { describeWith, peerTokenizer } from '../packages/core/test/peers.ts';

const user = (content: string): Message => ({ role: 'user', content });
const assistant = (content: string, rest: object = {}): Message => ({ role: 'assistant', content, ...rest });
const call = assistant('', {
  tool_calls: [{ id: 'callcall1', type: 'function', function: { name: 'weather', arguments: { city: 'Lyon' } } }],
});

/** What the loss counts, as text. */
async function trained(
  tokenizer: Tokenizer,
  source: string,
  messages: readonly Message[],
  trainOnEos: MaskOptions['trainOnEos'] = 'turn',
): Promise<string[] | string> {
  const conversation = { kind: 'chat' as const, messages, train: messages.map(() => null), tools: null };
  const rendered = render(openChatRenderer(tokenizer, { source }), conversation, {
    rolesToTrain: ['assistant'],
    trainOnEos,
  });
  if (rendered.kind === 'dropped') return `${rendered.reason}: ${rendered.detail}`;
  const [encoded] = (await encode(tokenizer, [rendered])) as [Encoded];
  const runs: number[][] = [];
  encoded.lossMask.forEach((mask, i) => {
    if (mask === 1 && encoded.lossMask[i - 1] !== 1) runs.push([]);
    if (mask === 1) runs.at(-1)?.push(encoded.ids[i] as number);
  });
  return Promise.all(runs.map((run) => tokenizer.decode(run)));
}

/** Prints turns as gpt-oss's template does, without its system message. */
const GPT_OSS = `{%- for m in messages -%}{%- if m.role != 'assistant' -%}{{ '<|start|>' + m.role + '<|message|>' + m.content + '<|end|>' }}
{%- elif m.tool_calls -%}{%- if m.thinking -%}{{ '<|start|>assistant<|channel|>analysis<|message|>' + m.thinking + '<|end|>' }}{%- endif -%}
{{ '<|start|>assistant to=functions.' + m.tool_calls[0].function.name + '<|channel|>commentary json<|message|>' + m.tool_calls[0].function.arguments | tojson + '<|call|>' }}
{%- elif loop.last and not add_generation_prompt -%}{%- if m.thinking -%}{{ '<|start|>assistant<|channel|>analysis<|message|>' + m.thinking + '<|end|>' }}{%- endif -%}
{{ '<|start|>assistant<|channel|>final<|message|>' + m.content + '<|return|>' }}
{%- else -%}{{ '<|start|>assistant<|channel|>final<|message|>' + m.content + '<|end|>' }}{%- endif -%}{%- endfor -%}
{%- if add_generation_prompt -%}<|start|>assistant{%- endif -%}`;

describeWith(await peerTokenizer('gptoss'), 'gpt-oss', (folder) => {
  const tokenizer = openTokenizer(folder);
  const talk = [user('a'), assistant('b'), user('c'), assistant('d', { thinking: 'hm' })];
  const last = '<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>d<|return|>';

  it('stops at <|return|> and <|call|>, not at what closes an earlier answer', () => {
    const { endTokens, closingTokens } = openChatRenderer(tokenizer, { source: GPT_OSS });
    expect(endTokens).toEqual(['<|return|>', '<|call|>']);
    expect(closingTokens).toEqual(['<|end|>']);
  });

  it('trains every answer, and of end tokens those that end one', async () => {
    expect(await trained(tokenizer, GPT_OSS, talk)).toEqual(['<|channel|>final<|message|>b', last]);
    expect(await trained(tokenizer, GPT_OSS, talk, 'last')).toEqual(['<|channel|>final<|message|>b', last]);
    expect(await trained(tokenizer, GPT_OSS, talk, 'none')).toEqual([
      '<|channel|>final<|message|>b',
      last.replace('<|return|>', ''),
    ]);
  });

  it('trains the closing token where every end token is asked for', async () => {
    expect(await trained(tokenizer, GPT_OSS, talk, 'all')).toEqual([
      '<|end|>',
      '<|channel|>final<|message|>b<|end|>',
      '<|end|>',
      last,
    ]);
  });

  it('trains calls to their end', async () => {
    expect(
      await trained(tokenizer, GPT_OSS, [user('a'), call, { role: 'tool', content: '18' }, assistant('warm')]),
    ).toEqual([
      ' to=functions.weather<|channel|>commentary json<|message|>{"city": "Lyon"}<|call|>',
      '<|channel|>final<|message|>warm<|return|>',
    ]);
  });
});

it('still drops an answer with nothing after it', async () => {
  const source = `{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}{% if not loop.last %}</s>{% endif %}{% endfor %}`;
  expect(await trained(byteTokenizer(), source, [user('a'), assistant('b')])).toMatch(/^missing_end_token/);
});
