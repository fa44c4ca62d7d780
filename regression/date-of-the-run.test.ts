/**
 * A chat template that prints the date (`strftime_now`, as Llama 3.2's does) printed another one after midnight: a run that went
 * on the next day had other tokens, and `eval` and `chat` another prompt than the one that was trained.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { evaluateSource } from '../apps/agent/src/service/evaluate/evaluate.ts';
import { finish } from '../apps/agent/src/service/finish.ts';
import { resolveSource } from '../apps/agent/src/service/models/source.ts';
import { openModelText } from '../packages/core/src/generate/modelText.ts';
import { openModel } from '../packages/core/src/models/open.ts';
import { RunDirectory } from '../packages/core/src/trainer/runDirectory.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { continueChanged, eventsOf, tinyRecipe, trainHere, weightsHash } from '../packages/core/test/runs.ts';

const template = `{{ strftime_now('%d %b %Y') }}
{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`;

function today(date: string): void {
  vi.useFakeTimers({ toFake: ['Date'], now: new Date(date) });
}

function recipeIn(folder: string) {
  const path = join(folder, 'dated.jinja');
  writeFileSync(path, template);
  return tinyRecipe(folder, { chat_template: path, max_steps: 2, lr_scheduler: 'constant', val_set_size: 2 });
}

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test('a run keeps its date when it goes on, is measured and is talked to', async () => {
  today('2024-02-03T10:00:00Z');
  const recipe = recipeIn(temporaryFolder());
  const started = await trainHere(recipe);
  const whole = await trainHere({ ...recipe, max_steps: 4 });

  today('2025-11-30T10:00:00Z');
  const resumed = await continueChanged(await RunDirectory.open(started.path), 'max_steps=4');
  expect(weightsHash(resumed, 4)).toBe(weightsHash(whole, 4));
  const another = await trainHere({ ...recipe, max_steps: 4 });
  expect(weightsHash(another, 4)).not.toBe(weightsHash(whole, 4));

  const runsDir = recipe.output_dir as string;
  const { text, modelPath } = await resolveSource({ runsFolder: runsDir }, { source: whole.path });
  const model = openModel(modelPath);
  const { renderer } = openModelText(model, text);
  model.close();
  expect(renderer?.template.render([{ role: 'user', content: 'x' }], renderer.options)).toMatch(/^03 Feb 2024\n/);

  const { loss } = await finish(evaluateSource({ runsFolder: runsDir }, { source: whole.path }));
  expect(loss).toBe(eventsOf(whole, 'evaluated').at(-1)?.loss);
});

test('without a run the date is that of the day, the same for all rows', () => {
  today('2024-02-03T10:00:00Z');
  const folder = temporaryFolder();
  const recipe = recipeIn(folder);
  const model = openModel(recipe.base_model);
  const { renderer } = openModelText(model, { chatTemplate: recipe.chat_template as string });
  model.close();
  today('2024-02-04T10:00:00Z');
  expect(renderer?.template.render([{ role: 'user', content: 'x' }], renderer.options)).toMatch(/^03 Feb 2024\n/);
});
