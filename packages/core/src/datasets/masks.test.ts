import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { describeWith, peerSmolLm2, peerTokenizer, type TokenizerFamily } from '../../test/peers.ts';
import { openTokenizer, type Tokenizer } from '../tokenizers/tokenizer.ts';
import { type ChatRenderer, openChatRenderer } from './chatRenderer.ts';
import { encode } from './encode.ts';
import { countTargetTokens } from './judge.ts';
import { type MaskOptions, render } from './render.ts';
import type { Conversation, Encoded, Message, Rendered } from './types.ts';

fc.configureGlobal({ seed: 3407 });

const ANSWERS: MaskOptions = { rolesToTrain: ['assistant'], trainOnEos: 'turn' };
const LLAMA_2 =
  "{% for message in messages %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + message['content'].strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' ' + message['content'].strip() + ' ' + eos_token }}{% endif %}{% endfor %}";
const CHATML =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}";

const chat = (
  messages: readonly Message[],
  train: readonly (boolean | null)[] = messages.map(() => null),
): Conversation => ({
  kind: 'chat',
  messages,
  train,
  tools: null,
});
const user = (content: string): Message => ({ role: 'user', content });
const assistant = (content: string): Message => ({ role: 'assistant', content });

/** What the loss counts, as text. */
async function trained(
  tokenizer: Tokenizer,
  renderer: ChatRenderer,
  conversation: Conversation,
  mask = ANSWERS,
): Promise<string[] | string> {
  const rendered = render(renderer, conversation, mask);
  if (rendered.kind === 'dropped') return rendered.reason;
  const [encoded] = await encode(tokenizer, [rendered]);
  if (encoded === undefined || 'kind' in encoded) return encoded?.reason ?? 'nothing';
  return await decodeRuns(tokenizer, encoded);
}

/** Every unbroken run of target tokens, decoded. */
function decodeRuns(tokenizer: Tokenizer, { ids, lossMask }: Encoded): Promise<string[]> {
  const runs: number[][] = [];
  for (const [i, mask] of lossMask.entries()) {
    if (mask === 0) continue;
    if (lossMask[i - 1] !== 1) runs.push([]);
    runs.at(-1)?.push(ids[i] as number);
  }
  return Promise.all(runs.map((run) => tokenizer.decode(run)));
}

const content = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 24 }),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom(
    '',
    ' ',
    '\n',
    '  two  blanks  ',
    '\n\nlines\n\n',
    'a<|im_end|>b',
    '<|eot_id|>',
    '</s>',
    '<end_of_turn>\n',
    '<think>\nwhy\n</think>\n\nso',
    '👩‍👩‍👧‍👦 é ﷽',
    '中文 and English',
    'assistant\n',
    'Alpha',
  ),
);
const answer = content.filter((text) => text.trim() !== '');
const conversations = fc
  .tuple(fc.option(content), fc.array(fc.tuple(content, answer), { minLength: 1, maxLength: 4 }))
  .map(([system, pairs]) => [
    ...(system === null ? [] : [{ role: 'system', content: system }]),
    ...pairs.flatMap(([question, reply]) => [user(question), assistant(reply)]),
  ]);

const templates: Readonly<Partial<Record<TokenizerFamily, string>>> = { llama2: LLAMA_2 };

for (const family of ['qwen3', 'llama3_1', 'gemma3', 'deepseek_v3', 'llama2'] as const) {
  const folder = await peerTokenizer(family);
  describeWith(folder, `loss masks of ${family}`, (found) => {
    const tokenizer = openTokenizer(found);
    const renderer = openChatRenderer(tokenizer, { source: templates[family] ?? tokenizer.chatTemplate });

    it('train exactly each answer as rendered and its end token, or report the row', async () => {
      let kept = 0;
      await fc.assert(
        fc.asyncProperty(conversations, async (messages) => {
          const rendered = render(renderer, chat(messages), ANSWERS);
          if (rendered.kind === 'dropped') {
            expect(rendered.detail).not.toBe('');
            return;
          }
          expect(rendered.text).toBe(renderer.template.render(messages, { tools: null }));
          await expectExactTurns(tokenizer, renderer, rendered, messages);
          const [encoded] = (await encode(tokenizer, [rendered])) as [Encoded | { kind: 'dropped'; reason: string }];
          if ('kind' in encoded) {
            expect(encoded.reason).toBe('boundary_inside_token');
            return;
          }
          kept++;
          expect([...encoded.ids]).toEqual([...(await tokenizer.encode(rendered.text)).ids]);
          const wanted = await Promise.all(
            rendered.supervised.map(({ start, end }) => roundTrip(tokenizer, rendered.text.slice(start, end))),
          );
          expect(await Promise.all((await decodeRuns(tokenizer, encoded)).map(comparable))).toEqual(
            wanted.map(comparable),
          );
        }),
        { numRuns: 150 },
      );
      expect(kept).toBeGreaterThan(30);
    });

    it('follow train_on_eos', async () => {
      const end = renderer.endTokens[0] as string;
      const talk = chat([user('one'), assistant('two'), user('three'), assistant('four')]);
      const text = async (mask: MaskOptions): Promise<string> => {
        const runs = await trained(tokenizer, renderer, talk, mask);
        return Array.isArray(runs) ? runs.map((run) => run.trim()).join('|') : runs;
      };
      expect(await text({ ...ANSWERS, trainOnEos: 'none' })).not.toContain(end);
      expect((await text({ ...ANSWERS, trainOnEos: 'last' })).split(end)).toHaveLength(2);
      expect((await text(ANSWERS)).split(end)).toHaveLength(3);
      expect((await text({ ...ANSWERS, trainOnEos: 'all' })).split(end).length).toBeGreaterThanOrEqual(3);
      expect(await text({ ...ANSWERS, trainOnInputs: true })).toContain('three');
    });

    it('follow the flags of single messages and roles_to_train', async () => {
      const messages = [user('one'), assistant('two'), user('three'), assistant('four')];
      const flagged = await trained(tokenizer, renderer, chat(messages, [null, false, null, null]));
      expect(flagged).toHaveLength(1);
      expect(flagged.at(-1)).toContain('four');
      const prompts = await trained(tokenizer, renderer, chat(messages), {
        rolesToTrain: ['user'],
        trainOnEos: 'none',
      });
      expect(Array.isArray(prompts) && prompts.map((run) => run.trim().replace(/ *\[\/INST\]$/, ''))).toEqual([
        'one',
        'three',
      ]);
    });
  });
}

/** Template-specific knowledge that the implementation does not have: what must stand before and in every trained part. */
async function expectExactTurns(
  tokenizer: Tokenizer,
  renderer: ChatRenderer,
  rendered: Rendered,
  messages: readonly Message[],
): Promise<void> {
  const answers = messages.filter(({ role }) => role === 'assistant');
  expect(rendered.supervised).toHaveLength(answers.length);
  for (const [i, { start, end }] of rendered.supervised.entries()) {
    const part = rendered.text.slice(start, end);
    expect(renderer.endTokens.some((token) => part.endsWith(token))).toBe(true);
    expect(rendered.text.slice(0, start)).toMatch(
      /(<\|im_start\|>assistant\n|assistant<\|end_header_id\|>\n\n|<start_of_turn>model\n|<｜Assistant｜>|\[\/INST\])$/,
    );
    const said = String(answers[i]?.content);
    const shown = said.includes('</think>') ? (said.split('</think>').at(-1) as string) : said;
    expect(part).toContain(shown.trim().replace(/^\ufeff|\ufeff$/g, ''));
  }
  expect(tokenizer.eos).not.toBeNull();
}

const roundTrip = async (tokenizer: Tokenizer, text: string): Promise<string> =>
  tokenizer.decode((await tokenizer.encode(text)).ids);
/** SentencePiece tokenizers put a blank before text that follows a control token; decoding a part of it may keep or lose it. */
const comparable = (text: string): string => text.replace(/^ +/, '').replaceAll(/ +/g, ' ').normalize('NFC');

const qwen3 = await peerTokenizer('qwen3');
describeWith(qwen3, 'templates that rewrite history', (folder) => {
  const tokenizer = openTokenizer(folder);
  const renderer = openChatRenderer(tokenizer);
  const talk = [
    user('Is 7 prime?'),
    assistant('<think>\n7 is.\n</think>\n\nYes.'),
    user('And 9?'),
    assistant('<think>\n3*3\n</think>\n\nNo.'),
  ];

  it('train an earlier turn without the thinking that the template removed', async () => {
    expect(await trained(tokenizer, renderer, chat(talk))).toEqual([
      'Yes.<|im_end|>',
      '<think>\n3*3\n</think>\n\nNo.<|im_end|>',
    ]);
  });

  it('begin after an empty thinking block where the generation prompt has one', async () => {
    const quick = openChatRenderer(tokenizer, { enableThinking: false });
    expect(await trained(tokenizer, quick, chat([user('a'), assistant('b'), user('c'), assistant('d')]))).toEqual([
      'b<|im_end|>',
      'd<|im_end|>',
    ]);
  });

  it('find headers of a template that knows no generation prompt', async () => {
    const plain = openChatRenderer(tokenizer, { source: CHATML });
    expect(await trained(tokenizer, plain, chat([user('a'), assistant('b')]))).toEqual(['b<|im_end|>']);
  });

  it('report an answer whose tool calls the template leaves out', async () => {
    const plain = openChatRenderer(tokenizer, { source: CHATML });
    const call: Message = {
      role: 'assistant',
      content: '',
      tool_calls: [{ type: 'function', function: { name: 'look', arguments: {} } }],
    };
    expect(await trained(tokenizer, plain, chat([user('a'), call]))).toBe('content_lost');
  });

  it('report a trained answer that says nothing, as empty', async () => {
    const [first, last] = [user('a'), user('c')];
    for (const nothing of ['', ' \n']) {
      const messages = [first, assistant(nothing), last, assistant('d')];
      expect(await trained(tokenizer, renderer, chat(messages))).toBe('empty');
      expect(await trained(tokenizer, renderer, chat(messages, [null, false, null, null]))).toHaveLength(1);
    }
    const call: Message = {
      ...assistant(''),
      tool_calls: [{ type: 'function', function: { name: 'look', arguments: {} } }],
    };
    expect((await trained(tokenizer, renderer, chat([first, call])))[0]).toContain('look');
  });

  it('train an answer that is nothing but thinking, and report it where the template leaves that out', async () => {
    const thought: Message = { ...assistant(''), reasoning_content: 'Let me see.' };
    expect(await trained(tokenizer, renderer, chat([user('a'), thought]))).toEqual([
      '<think>\nLet me see.\n</think>\n\n<|im_end|>',
    ]);
    const plain = openChatRenderer(tokenizer, { source: CHATML });
    expect(await trained(tokenizer, plain, chat([user('a'), thought]))).toBe('content_lost');
  });

  it('report a template without end tokens, unless none is wanted', async () => {
    const endless = openChatRenderer(tokenizer, {
      source: "{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}",
    });
    expect(await trained(tokenizer, endless, chat([user('a'), assistant('b')]))).toBe('missing_end_token');
    expect(
      await trained(tokenizer, endless, chat([user('a'), assistant('b')]), { ...ANSWERS, trainOnEos: 'none' }),
    ).not.toBe('missing_end_token');
  });

  it('report an answer that shares a token with its header', async () => {
    expect(
      await trained(tokenizer, openChatRenderer(tokenizer, { source: CHATML }), chat([user('a'), assistant('\n\nb')])),
    ).toBe('boundary_inside_token');
  });

  it('train all of a plain text, with EOS behind it', async () => {
    const rendered = render(null, { kind: 'text', text: 'Once upon a time' }, ANSWERS) as Rendered;
    const [encoded] = (await encode(tokenizer, [rendered])) as [Encoded];
    expect(await tokenizer.decode(encoded.ids)).toBe('Once upon a time<|im_end|>');
    expect(countTargetTokens(encoded)).toBe(encoded.ids.length - 1);
  });
});

const file = (name: string): string =>
  readFileSync(new URL(`../../test/golden/smollm2-sft/${name}`, import.meta.url), 'utf8');

const smolLm2 = await peerSmolLm2();
describeWith(smolLm2, 'the reference run on SmolLM2', (model) => {
  it('has these tokens and labels', async () => {
    const golden = JSON.parse(file('tokens.json')) as { tokens: { ids: number[]; labels: number[] }[] };
    const tokenizer = openTokenizer(model);
    const renderer = openChatRenderer(tokenizer);
    const rows = file('rows.jsonl').trim().split('\n').slice(0, golden.tokens.length);
    const rendered = rows.map(
      (row) => render(renderer, chat((JSON.parse(row) as { messages: Message[] }).messages), ANSWERS) as Rendered,
    );
    for (const [i, encoded] of ((await encode(tokenizer, rendered)) as Encoded[]).entries()) {
      expect([...encoded.ids]).toEqual(golden.tokens[i]?.ids);
      expect(Array.from(encoded.ids, (id, at) => (encoded.lossMask[at] === 1 ? id : -100))).toEqual(
        golden.tokens[i]?.labels,
      );
    }
  });
});
