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
import { openTemplate } from '../packages/core/src/templates/template.ts';
import { withDefaults } from '../packages/core/src/templates/templateDefaults.ts';
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
  // The switches go along, as what counts where nobody says otherwise; `enable_thinking` is none of this template.
  const opening = '{%- if opening is not defined %}{%- set opening = "Well, " %}{%- endif %}';
  expect(merged.chatTemplates).toEqual({ default: opening + template, named: {} });
  expect(readFileSync(join(exported, 'merged', 'chat_template.jinja'), 'utf8')).toBe(opening + template);
  const alone = openModelText(merged).renderer?.template;
  const asked = { addGenerationPrompt: true };
  expect(alone?.render([{ role: 'user', content: 'x' }], asked)).toMatch(/assistant\nWell, $/);
  const other = { ...asked, variables: { opening: 'No: ' } };
  expect(alone?.render([{ role: 'user', content: 'x' }], other)).toMatch(/assistant\nNo: $/);
  const checkpoint = join(run.path, 'checkpoints', 'checkpoint-2', 'chat_template.jinja');
  expect(readFileSync(checkpoint, 'utf8')).toBe(opening + template);

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

test.each<[Record<string, unknown>, string]>([
  [{ enable_thinking: false }, '{{ enable_thinking }}'],
  [{ a: 1.5, b: null, c: 'it\'s "x"\n{{ y }} %}', d: [true, { e: 'f' }] }, '{{ a }}{{ b }}{{ c }}{{ d }}'],
])('a template with the defaults %j prints as with the variables', (variables, source) => {
  for (const text of [source, `\n ${source}`, `{% if true %}\n  ${source}\n{% endif %}`]) {
    const [plain, set] = [openTemplate(text, {}), openTemplate(withDefaults(text, variables), {})];
    expect(set.render([])).toBe(plain.render([], { variables }));
    expect(withDefaults(set.source, variables)).toBe(set.source);
  }
});
