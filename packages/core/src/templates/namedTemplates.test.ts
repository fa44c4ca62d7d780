import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeWith, peerTokenizer, type TokenizerFamily } from '../../test/peers.ts';
import { openTokenizer } from '../tokenizers/tokenizer.ts';
import { namedTemplate } from './namedTemplates.ts';
import { openTemplate, type RenderOptions, TemplateError } from './template.ts';
import { TEMPLATE_NAMES, type TemplateName } from './templateNames.ts';

const tools = [
  { type: 'function', function: { name: 'weather', description: 'Tells it', parameters: { type: 'object' } } },
];
const call = (place: string) => ({ type: 'function', function: { name: 'weather', arguments: { place } } });
const system = { role: 'system', content: 'Be brief. ' };
const user = (content: string) => ({ role: 'user', content });
const answer = (content: string, more = {}) => ({ role: 'assistant', content, ...more });
const result = (content: string) => ({ role: 'tool', content });

const plain: Record<string, readonly object[]> = {
  question: [user('Hi')],
  'system text': [system, user(' Hi\n')],
  turns: [user('Hi'), answer('Hello\nthere.'), user('Bye')],
  answered: [system, user('Hi'), answer('Hello.'), user('Bye'), answer('Bye.')],
};
const withTools: Record<string, readonly object[]> = {
  call: [
    system,
    user('Lima?'),
    answer('', { tool_calls: [call('Lima')] }),
    result('Mist'),
    answer('Mist.'),
    user('Ok'),
  ],
  'two calls': [
    user('Both?'),
    answer('I look.', {
      tool_calls: [call('Lima'), { ...call('Rome'), function: { name: 'w', arguments: '{"a": 1}' } }],
    }),
    result('Mist'),
    result('Sun'),
  ],
};
const thinking: Record<string, readonly object[]> = {
  thought: [user('Hi'), answer('Hello.', { reasoning_content: 'A greeting\n' })],
  'thought in the content': [user('Hi'), answer('<think>\nA greeting\n</think>\n\nHello.')],
  'earlier thought': [user('Hi'), answer('<think>\nHm\n</think>\n\nHello.'), user('Bye'), answer('Bye.')],
  'thought before a call': [
    user('Lima?'),
    answer('', { reasoning_content: 'Look', tool_calls: [call('Lima')] }),
    result('Mist'),
    answer('Mist.'),
  ],
};

const settings: readonly RenderOptions[] = [false, true].flatMap((addGenerationPrompt) =>
  [undefined, true, false].map((enableThinking) => ({ addGenerationPrompt, enableThinking })),
);
const tokens = { bos: '<s>', eos: '</s>' };

/** What a source prints of a conversation, with every setting; the message of a refusal. */
function printed(source: string, messages: readonly object[], given: readonly unknown[] | null): string[] {
  const template = openTemplate(source, tokens);
  return settings.map((options) => {
    try {
      return template.render(messages, { ...options, tools: given });
    } catch (error) {
      if (error instanceof TemplateError) return `refused: ${error.message}`;
      throw error;
    }
  });
}

function expectSame(name: TemplateName, theirs: string, conversations: Record<string, readonly object[]>): void {
  for (const [title, messages] of Object.entries(conversations)) {
    for (const given of name === 'qwen3' ? [null, tools] : [null]) {
      expect(printed(namedTemplate(name, true), messages, given), title).toEqual(printed(theirs, messages, given));
    }
  }
}

const models: readonly [TokenizerFamily, TemplateName, Record<string, readonly object[]>][] = [
  ['llama3_1', 'llama3', plain],
  ['gemma3', 'gemma', { ...plain, 'two questions': [user('Hi'), user('Hello?')] }],
  ['qwen3', 'qwen3', { ...plain, ...withTools, ...thinking }],
];
for (const [family, name, conversations] of models) {
  describeWith(await peerTokenizer(family), `${name} prints what the model's own template does`, (folder) => {
    it(family, () => expectSame(name, openTokenizer(folder).chatTemplate as string, conversations));
  });
}

describeWith(await peerTokenizer('qwen3'), "hermes prints Qwen3's tools and calls, without thoughts", (folder) => {
  it('qwen3', () => {
    const theirs = openTokenizer(folder).chatTemplate as string;
    for (const messages of [...Object.values(plain).slice(0, 3), withTools['call'] as readonly object[]]) {
      const [first, , , asked] = printed(theirs, messages, tools);
      const [ours, , , oursAsked] = printed(namedTemplate('hermes', true), messages, tools);
      expect([ours, oursAsked]).toEqual([first, asked]);
    }
  });
});

describe('published templates', () => {
  it('chatml', () => {
    const published = `{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}`;
    expectSame('chatml', published, plain);
  });

  it("chatml prints what Qwen 2.5's own template does after a system text", () => {
    const file = new URL('../../test/golden/turns/qwen2_5.json', import.meta.url);
    const { template } = JSON.parse(readFileSync(file, 'utf8')) as { template: string };
    const [asked, answered] = [plain['system text'], plain['answered']] as [object[], object[]];
    expectSame('chatml', template, { asked, answered });
  });

  it('mistral', () => {
    const published = `{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}`;
    const { question, turns } = plain as { question: object[]; turns: object[] };
    expectSame('mistral', published, { question, turns, 'two questions': [user('Hi'), user('Hello?')] });
    expect(printed(namedTemplate('mistral', true), [system, user('Hi')], null)[0]).toBe(
      '<s>[INST] Be brief. \n\nHi [/INST]',
    );
  });

  it('alpaca', () => {
    const prompt = `Below is an instruction that describes a task. Write a response that appropriately completes the request.

### Instruction:
Hi

### Response:
`;
    expect(printed(namedTemplate('alpaca', true), [user('Hi')], null)[0]).toBe(`<s>${prompt}`);
    expect(printed(namedTemplate('alpaca', false), [user('Hi'), answer('Hello.')], null)[0]).toBe(
      `${prompt}Hello.</s>`,
    );
  });

  it('every name has a source that can be opened', () => {
    for (const name of TEMPLATE_NAMES)
      expect(printed(namedTemplate(name, true), [user('Hi')], null)[0]).toContain('Hi');
  });
});
