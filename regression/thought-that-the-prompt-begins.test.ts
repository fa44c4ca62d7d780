/**
 * Templates of thinking models end a prompt with `<think>`. An answer that was cut before `</think>` has no tag then: GRPO judged the thought as
 * the answer, and chat took a call that was only thought of for one.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { callsIn } from '../packages/core/src/generate/toolCalls.ts';
import { temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';
import { eventsOf, tinyGrpoRecipe, trainHere } from '../packages/core/test/runs.ts';

test('a thought that was cut is not judged as an answer', async () => {
  const folder = temporaryFolder();
  const [base_model, reward] = [writeTinyModel(folder), join(folder, 'thinks.ts')];
  const config = join(base_model, 'tokenizer_config.json');
  const settings = JSON.parse(readFileSync(config, 'utf8')) as { chat_template: string };
  const chat_template = settings.chat_template.replace('assistant\n', 'assistant\n<think>\n');
  writeFileSync(config, JSON.stringify({ ...settings, chat_template }));
  writeFileSync(
    reward,
    "export default (answers) => answers.map((a) => (a.answer === '' && a.thinking === a.completion ? 1 : 0));",
  );
  const run = await trainHere(
    tinyGrpoRecipe([{ prompt: 'ant' }, { prompt: 'bee' }], { reward_funcs: [reward] }, { base_model, max_steps: 1 }),
  );
  expect(eventsOf(run, 'step').map((step) => step.reward)).toEqual([1]);
});

test('a call in a thought that was cut is none', () => {
  const tools = [{ type: 'function', function: { name: 'weather' } }];
  const said = 'I could say {"name": "weather", "arguments": {}}';
  expect(callsIn(said, tools, 'user: a question\nassistant: <think>\n').calls).toEqual([]);
  expect(callsIn(said, tools, 'user: a question\nassistant: ').calls).toHaveLength(1);
});
