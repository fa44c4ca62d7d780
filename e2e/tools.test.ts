/** Tools in a chat: their definitions are given, a call is seen, its result is given, and the model goes on. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestAgent } from './agent.ts';
import { expectAccessible } from './page.ts';
import { PairedBrowser } from './pairedBrowser.ts';

const agent = new TestAgent();
let paired: PairedBrowser;

const tools = [
  {
    type: 'function',
    function: {
      name: 'tide',
      description: 'When the tide is high',
      parameters: { type: 'object', properties: { day: { type: 'string' } } },
    },
  },
];

/** Prints tools and calls, as that of the starter does not. */
const template = [
  "{% if tools %}{{ '<|im_start|>system\\n' }}{% for tool in tools %}{{ tool | tojson }}{% endfor %}{{ '<|im_end|>\\n' }}{% endif %}",
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] }}",
  "{% for call in message.tool_calls or [] %}{{ '<tool_call>\\n' }}",
  "{{ {'name': call.function.name, 'arguments': call.function.arguments} | tojson }}{{ '\\n</tool_call>' }}{% endfor %}",
  "{{ '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
].join('');

const recipe = `schema_version: 1
base_model: ../plain/model
adapter: null
chat_template: template.jinja
datasets:
  - path: tides.jsonl
    type: chat_template
    roles_to_train: [assistant]
sequence_len: 512
micro_batch_size: 8
num_epochs: 30
learning_rate: 3e-3
lr_scheduler: cosine
weight_decay: 0.0
`;

function tideRows(): string {
  const days = ['today', 'tomorrow', 'on Monday', 'on Sunday'];
  return days
    .flatMap((day) => ['six', 'seven', 'nine', 'noon'].map((hour) => ({ day, hour })))
    .map(({ day, hour }) => {
      const call = { id: 'call00000', type: 'function', function: { name: 'tide', arguments: { day } } };
      const messages = [
        { role: 'user', content: `When is high tide ${day}?` },
        { role: 'assistant', content: '', tool_calls: [call] },
        { role: 'tool', name: 'tide', tool_call_id: 'call00000', content: hour },
        { role: 'assistant', content: `The tide is high at ${hour}.` },
      ];
      return `${JSON.stringify({ tools, messages })}\n`;
    })
    .join('');
}

beforeAll(async () => {
  agent.run('init', 'plain');
  const folder = join(agent.workspace, 'caller');
  mkdirSync(folder);
  writeFileSync(join(folder, 'template.jinja'), template);
  writeFileSync(join(folder, 'tides.jsonl'), tideRows());
  writeFileSync(join(folder, 'recipe.yaml'), recipe);
  agent.run('train', 'caller/recipe.yaml');
  await agent.start();
  paired = await PairedBrowser.open(agent);
}, 240_000);

afterAll(async () => {
  await paired?.browser.close();
  await agent.end();
  agent.remove();
});

const openSettings = (page: Page) => page.getByRole('button', { name: /^Settings/ }).press('Enter');
const field = (page: Page) => page.getByRole('textbox', { name: 'Tools', exact: true });

it('sees a call, gives its result, and lets the model go on', async () => {
  const [run] = readdirSync(join(agent.workspace, 'caller/runs')).filter((name) => /^\d/.test(name));
  // The second has a template without a place for tools.
  const models = [`caller/runs/${run}`, 'plain/model'].map(encodeURIComponent).join();
  const page = await paired.goTo(`/chat?models=${models}`);
  await openSettings(page);
  await field(page).fill('[{"name": 3}]');
  await page.getByText('these are no definitions of tools').waitFor();
  await expectAccessible(page);
  const chooser = page.waitForEvent('filechooser');
  await page.locator('input[type=file]').click();
  const file = { name: 'tools.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(tools)) };
  await (await chooser).setFiles(file);
  await page.getByText('1 tool: tide').waitFor();
  await page.getByRole('radio', { name: 'Exact' }).click();
  // They are part of what is kept under a name.
  await page.getByRole('textbox', { name: 'Save these settings as' }).fill('with tides');
  await page.keyboard.press('Enter');
  await field(page).fill('');
  await page.getByRole('combobox', { name: 'Saved settings' }).selectOption('with tides');
  await page.getByText('1 tool: tide').waitFor();
  expect(JSON.parse(await field(page).inputValue())).toEqual(tools);
  await page.keyboard.press('Escape');

  await page.getByRole('textbox', { name: 'Question', exact: true }).fill('When is high tide today?');
  await page.keyboard.press('Enter');
  await page.locator('[data-answer="done"]').nth(1).waitFor({ timeout: 60_000 });
  await page.getByText('has no place for tools').waitFor();
  const [answer] = await page.locator('[data-said]').all();
  if (!answer) throw new Error('there is no answer');
  const call = answer.locator('[data-call="tide"]');
  expect(await answer.innerText()).not.toContain('tool_call');
  await call.locator('summary').press('Enter');
  await call.getByText('"day"').waitFor();
  await expectAccessible(page);
  // Elsewhere the same conversation waits for the same.
  await page.reload();
  await page.getByRole('textbox', { name: 'Result of tide' }).fill('noon');
  await page.getByRole('button', { name: 'Go on' }).press('Enter');
  await page.getByText('The tide is high at noon.').waitFor({ timeout: 60_000 });
  await call.locator('summary').press('Enter');
  await call.getByText('noon').waitFor();
  expect(await page.getByRole('textbox', { name: 'Result of tide' }).count()).toBe(0);
  await expectAccessible(page);
  await page.getByRole('radio', { name: 'As written' }).click();
  await call.waitFor();
  await page.close();
});

it('said nothing in the console', () => expect(paired.said.flat()).toEqual([]));
