/**
 * GLM's templates put nothing behind an answer: the model stops at the token that opens the next turn. Every row was dropped for want
 * of an end token; later, with `train_on_inputs`, rows ended without it. Gemma 4's print the results of calls within the turn that
 * calls: with a text beside the call, they were trained; where they began with the letters that follow the call, the cut went through a
 * token. With `train_on_inputs`, rows whose answers end with no token at all were kept: the model would never stop.
 */
import { expect, test } from 'vitest';
import { openChatRenderer } from '../packages/core/src/datasets/chatRenderer.ts';
import { type MaskOptions, render } from '../packages/core/src/datasets/render.ts';
import type { Message } from '../packages/core/src/datasets/types.ts';
import { byteTokenizer } from '../packages/core/test/byteTokenizer.ts';

function trained(
  source: string,
  messages: readonly Message[],
  trainOnEos: MaskOptions['trainOnEos'] = 'turn',
  trainOnInputs = false,
): string[] {
  const renderer = openChatRenderer(byteTokenizer(), { source, endTokens: ['</s>', '<|im_start|>'] });
  const conversation = { kind: 'chat' as const, messages, train: messages.map(() => null), tools: null };
  const rendered = render(renderer, conversation, { rolesToTrain: ['assistant'], trainOnEos, trainOnInputs });
  if (rendered.kind === 'dropped') return [`${rendered.reason}: ${rendered.detail}`];
  return rendered.supervised.map(({ start, end }) => rendered.text.slice(start, end));
}

const user = (content: string): Message => ({ role: 'user', content });
const assistant = (content: string): Message => ({ role: 'assistant', content });
const calling = (content: string): Message => ({
  ...assistant(content),
  tool_calls: [{ id: 'callcall1', type: 'function', function: { name: 'weather', arguments: { city: 'Lyon' } } }],
});
const result: Message = { role: 'tool', content: '18 C' };

/** `</s>` opens a question as GLM's `<|user|>` does, `<|im_start|>` a result as `<|observation|>`. */
const OPENERS = `{% for m in messages %}{% if m.role == 'user' %}</s>{{ m.content }}{% elif m.role == 'tool' %}<|im_start|>{{ m.content }}{% else %}[A]{{ m.content }}{% for c in m.tool_calls %}{{ c.function | tojson }}{% endfor %}{% endif %}{% endfor %}{% if add_generation_prompt %}[A]{% endif %}`;
const CALL = '{"name": "weather", "arguments": {"city": "Lyon"}}';

test('the token that opens the next turn ends an answer, and is added behind the last', () => {
  expect(trained(OPENERS, [user('Hi'), assistant('Hello'), user('Bye'), assistant('See you')])).toEqual([
    'Hello</s>',
    'See you</s>',
  ]);
  expect(trained(OPENERS, [user('Weather?'), calling(''), result, assistant('18.')])).toEqual([
    `${CALL}<|im_start|>`,
    '18.</s>',
  ]);
  expect(trained(OPENERS, [user('Weather?'), calling('')])).toEqual([`${CALL}<|im_start|>`]);
  expect(trained(OPENERS, [user('Hi'), assistant('Hello')], 'none')).toEqual(['Hello']);
});

test('it is added where everything is trained, too', () => {
  expect(trained(OPENERS, [user('Hi'), assistant('Hello')], 'turn', true)).toEqual(['</s>Hi[A]Hello</s>']);
  expect(trained(OPENERS, [user('Weather?'), calling('')], 'turn', true)).toEqual([
    `</s>Weather?[A]${CALL}<|im_start|>`,
  ]);
  expect(trained(OPENERS, [user('Hi'), assistant('Hello'), user('Bye')], 'turn', true)).toEqual([
    '</s>Hi[A]Hello</s>Bye',
  ]);
  expect(trained(OPENERS, [user('Hi'), assistant('Hello')], 'none', true)).toEqual(['</s>Hi[A]Hello']);
});

test('an answer without any end is dropped where everything is trained, too', () => {
  const endless = `{% for m in messages %}{{ '[' + m.role + ']' + m.content }}{% endfor %}`;
  const dropped = ['missing_end_token: the template puts no end token after message 2 (assistant)'];
  expect(trained(endless, [user('Hi'), assistant('Hello')], 'turn', true)).toEqual(dropped);
  expect(trained(endless, [user('Hi'), assistant('Hello'), user('Bye')], 'last', true)).toHaveLength(1);
  expect(trained(endless, [user('Hi'), assistant('Hello')], 'none', true)).toEqual(['[user]Hi[assistant]Hello']);
  const copied = `{% set said = messages | map(attribute='content') | list %}{{ said | join('|') }}`;
  expect(trained(copied, [user('Hi'), assistant('Hello')], 'turn', true)).toEqual(dropped);
});

test('so does an end of text that is printed behind all messages', () => {
  const source = `{% for m in messages %}{{ '[' + m.role + ']' + m.content }}{% endfor %}{% if add_generation_prompt %}[assistant]{% else %}</s>{% endif %}`;
  expect(trained(source, [user('Hi'), assistant('Hello')])).toEqual(['Hello</s>']);
  expect(trained(source, [user('Hi'), assistant('Hello'), user('Bye'), assistant('See you')])).toEqual([
    'missing_end_token: the template puts no end token after message 2 (assistant)',
  ]);
});

/** The results behind a call stand in its turn, before the text beside it. */
const WITHIN = `{% for m in messages if m.role != 'tool' %}{{ '[' + m.role + ']' }}{% for c in m.tool_calls %}{{ c.function | tojson }}{% endfor %}{% if m.tool_calls %}<|im_start|>{% for r in messages if r.role == 'tool' %}(result {{ r.content }}){% endfor %}{% endif %}{{ m.content }}{% if m.content %}</s>{% endif %}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}`;

test('results that are printed within the turn of their call are not trained', () => {
  const after = [result, assistant('It is 18 C.')];
  for (const trainOnEos of ['turn', 'none'] as const) {
    expect(trained(WITHIN, [user('Weather?'), calling(''), ...after], trainOnEos).join('|')).not.toContain('result');
    expect(trained(WITHIN, [user('Weather?'), calling('I look.'), ...after], trainOnEos).join()).not.toContain(
      'result',
    );
  }
  expect(trained(WITHIN, [user('Weather?'), calling(''), ...after])).toEqual([
    `${CALL}<|im_start|>`,
    'It is 18 C.</s>',
  ]);
  expect(trained(WITHIN, [user('Weather?'), calling('I look.'), ...after])).toEqual([
    `${CALL}<|im_start|>`,
    'I look.</s>',
    'It is 18 C.</s>',
  ]);
});

/** Results begin as the turn ends, with `<`, and may end as the call does. */
const ALIKE = `{% for m in messages if m.role != 'tool' %}{{ '[' + m.role + ']' }}{% for c in m.tool_calls %}{{ c.function | tojson }}{% endfor %}{% if m.tool_calls %}{% for r in messages if r.role == 'tool' %}<|im_start|>{{ r.content }}{% endfor %}{% endif %}{{ m.content }}<|im_end|>{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}`;

test.each(['18 C', '{"sky": {"t": "Lyon"}}'])(
  'a result that begins or ends as the call and its end do: %s',
  (content) => {
    const after = [{ ...result, content }, assistant('It is 18 C.')];
    expect(trained(ALIKE, [user('Weather?'), calling('I look.'), ...after])).toEqual([
      `${CALL}<|im_start|>`,
      'I look.<|im_end|>',
      'It is 18 C.<|im_end|>',
    ]);
    expect(trained(ALIKE, [user('Weather?'), calling(''), ...after])[0]).toBe(`${CALL}<|im_start|>`);
    expect(trained(ALIKE, [user('Weather?'), calling(''), ...after], 'none')).toEqual([CALL, 'It is 18 C.']);
    const closed = ALIKE.replace('<|im_start|>', '<result>').replace('{{ m.content }}<', '</call>{{ m.content }}<');
    expect(trained(closed, [user('Weather?'), calling(''), ...after], 'none')).toEqual([
      CALL,
      '</call>',
      '</call>It is 18 C.',
    ]);
  },
);

/** A turn with results ends otherwise than one without, and the text behind them begins as that end does. */
test('a text behind results that begins as what follows it', () => {
  const source = `{% for m in messages if m.role != 'tool' %}{{ '[' + m.role + ']' }}{% for c in m.tool_calls %}{{ c.function | tojson }}{% endfor %}{% set results = messages | selectattr('role', 'equalto', 'tool') | list if m.tool_calls else [] %}{% for r in results %}<|im_start|>{{ r.content }}{% endfor %}{{ m.content }}{% if results %}<|im_end|>{% elif m.content %}</s>{% endif %}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}`;
  const after = [result, assistant('It is 18 C.')];
  expect(trained(source, [user('Weather?'), calling('</b> I look.'), ...after], 'none')).toEqual([
    CALL,
    '</b> I look.',
    'It is 18 C.',
  ]);
});
