/**
 * A run with a `chat_template` of its own was exported with the base model's, and `anneal chat` left out its
 * `chat_template_kwargs`: the model was used otherwise than it had been trained.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { exportSource } from '../apps/agent/src/service/exports/export.ts';
import { finish } from '../apps/agent/src/service/finish.ts';
import { resolveSource } from '../apps/agent/src/service/models/source.ts';
import { openModelText } from '../packages/core/src/generate/modelText.ts';
import { openModel } from '../packages/core/src/models/open.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

const template = `{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{{ opening }}{% endif %}`;

test('what a run was trained with is what it is exported and asked with', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'mine.jinja');
  writeFileSync(path, template);
  const recipe = tinyRecipe(folder, {
    chat_template: path,
    chat_template_kwargs: { opening: 'Well, ', enable_thinking: false },
    max_steps: 2,
  });
  const run = await trainHere(recipe);

  const output = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  onTestFinished(() => output.mockRestore());
  const exported = join(folder, 'exported');
  await finish(
    exportSource({ runsFolder: recipe.output_dir as string }, { source: run.path, merged: 'f32', to: exported }),
  );
  const merged = openModel(join(exported, 'merged'));
  expect(merged.chatTemplates).toEqual({ default: template, named: {} });
  expect(readFileSync(join(exported, 'merged', 'chat_template.jinja'), 'utf8')).toBe(template);

  const { text } = await resolveSource({ runsFolder: recipe.output_dir as string }, { source: run.path });
  const { renderer } = openModelText(merged, text);
  merged.close();
  expect(renderer?.options).toMatchObject({ enableThinking: false });
  const prompt = renderer?.template.render([{ role: 'user', content: 'x' }], {
    ...renderer.options,
    addGenerationPrompt: true,
  });
  expect(prompt).toMatch(/Well, $/);
});
