// Templates of multimodal models that go through the parts of a content print nothing of a text: every row was dropped, and `chat`
// asked an empty question.
import { expect, test } from 'vitest';
import { openChatRenderer, renderMessages } from '../packages/core/src/datasets/chatRenderer.ts';
import { render } from '../packages/core/src/datasets/render.ts';
import { byteTokenizer, CHATML } from '../packages/core/test/byteTokenizer.ts';

/** As Idefics3 and SmolVLM write them. */
const OF_PARTS =
  "{% for m in messages %}{{ '<|im_start|>' + (m.role | capitalize) }}{% if m['content'][0]['type'] == 'image' %}{{ ':' }}{% else %}{{ ': ' }}{% endif %}{% for part in m['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %}{{ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>Assistant:' }}{% endif %}";
const messages = [
  { role: 'user', content: 'Capital of Peru?' },
  { role: 'assistant', content: 'Lima.' },
];
const conversation = { kind: 'chat' as const, messages, train: [null, null], tools: null };

test('print texts, and answers are trained', () => {
  const renderer = openChatRenderer(byteTokenizer(), { source: OF_PARTS });
  const rendered = render(renderer, conversation, { rolesToTrain: ['assistant'], trainOnEos: 'turn' });
  if (rendered.kind === 'dropped') throw new Error(rendered.detail);
  expect(rendered.text).toBe('<|im_start|>User: Capital of Peru?<|im_end|>\n<|im_start|>Assistant: Lima.<|im_end|>\n');
  expect(rendered.supervised.map(({ start, end }) => rendered.text.slice(start, end))).toEqual([' Lima.<|im_end|>']);
  expect(rendered.leftOut).toEqual([]);
});

test('others get texts as they are', () => {
  const source = CHATML.replace('message.content', "(message.content if message.content is string else 'parts')");
  const rendered = renderMessages(openChatRenderer(byteTokenizer(), { source }), conversation, messages);
  expect(rendered).toMatchObject({ text: expect.stringContaining('Capital of Peru?') });
});
