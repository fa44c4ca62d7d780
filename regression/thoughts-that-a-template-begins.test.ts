/**
 * Where the generation prompt begins thoughts (`<think>` and a line feed) and a row has none, one token is the end of the
 * prompt and the beginning of the answer. Every row was dropped, with the advice to set another chat template.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';
import { eventsOf, tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

const THINKS =
  "{% set open = '<think>\n\n</think>\n\n' %}{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + (open if m.role == 'assistant' else '') + m.content + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' + (open if enable_thinking is false else '<think>\n') }}{% endif %}";

test('rows without thoughts are dropped with advice that helps', async () => {
  const folder = temporaryFolder();
  const model = writeTinyModel(folder);
  const file = join(model, 'tokenizer.json');
  const tokenizer = JSON.parse(readFileSync(file, 'utf8'));
  tokenizer.model.vocab['\n\n'] = Object.keys(tokenizer.model.vocab).length;
  tokenizer.model.merges.push(['\n', '\n']);
  writeFileSync(file, JSON.stringify(tokenizer));
  writeFileSync(join(folder, 'thinks.jinja'), THINKS);
  const recipe = tinyRecipe(folder, { base_model: model, chat_template: join(folder, 'thinks.jinja'), max_steps: 1 });

  await expect(trainHere(recipe)).rejects.toMatchObject({
    what: expect.stringContaining('boundary_inside_token'),
    next: expect.stringContaining('chat_template_kwargs: {enable_thinking: false}'),
  });
  const run = await trainHere({ ...recipe, chat_template_kwargs: { enable_thinking: false } });
  expect(eventsOf(run, 'data_prepared')).toMatchObject([{ dropped: 0 }]);
});
