/** A chat template that raised an error while it was given a prompt was reported as a defect in Anneal. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encodePrompt, openModelText } from '../packages/core/src/generate/modelText.ts';
import { openModel } from '../packages/core/src/models/open.ts';
import { temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';

test("what the template says about a prompt is the user's to read", async () => {
  const path = writeTinyModel(temporaryFolder());
  const file = join(path, 'tokenizer_config.json');
  const config = JSON.parse(readFileSync(file, 'utf8'));
  const template = "{% if messages[0].role != 'system' %}{{ raise_exception('begin with system') }}{% endif %}ok";
  writeFileSync(file, JSON.stringify({ ...config, chat_template: template }));
  const model = openModel(path);
  const text = openModelText(model);
  model.close();

  await expect(encodePrompt(text, [{ role: 'user', content: 'hi' }])).rejects.toMatchObject({
    code: 'template_refused',
    what: 'the chat template refuses these messages: begin with system',
  });
  expect(await encodePrompt(text, [{ role: 'system', content: 'hi' }])).toHaveLength(2);
});
