/** A recipe of `anneal synthesize` was a list of unknown keys for `anneal validate`, and one of training for `anneal synthesize`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRecipe } from '@anneal/core/recipe/read';
import { readSynthesisRecipe } from '@anneal/core/recipe/synthesis/read';
import { beforeAll, expect, test } from 'vitest';
import { validateRecipe } from '../apps/agent/src/service/recipes/validate.ts';
import { temporaryFolder } from '../scripts/testing/temporaryFolder.ts';

let folder: string;
let synthesis: string;
let training: string;
beforeAll(() => {
  folder = temporaryFolder('kinds');
  synthesis = join(folder, 'questions.yaml');
  writeFileSync(
    synthesis,
    'endpoint: {url: http://a/v1, model: m}\nsources:\n  - path: a.md\n  - path: b.md\noutput: rows.jsonl\n',
  );
  training = join(folder, 'recipe.yaml');
  writeFileSync(training, 'base_model: m\ndatasets: [{path: rows.jsonl}]\n');
  writeFileSync(join(folder, 'a.md'), 'A text.');
});

test('a recipe of synthesize is validated as one, with the sources that are missing', async () => {
  const missing = { code: 'file_not_found', path: ['sources', 1, 'path'], line: 4 };
  await expect(validateRecipe({}, { recipe: synthesis })).rejects.toMatchObject({ problems: [missing] });
  const found = await validateRecipe({}, { recipe: synthesis, set: ['sources.1.path=.'] });
  expect(found).toMatchObject({ kind: 'synthesis', recipe: { task: 'question_answer', seed: 3407 } });
  expect(found.resolvedText).toContain('\n  - path: a.md\n    field: text\n');
  const misspelled = { code: 'unknown_key', next: 'did you mean `output`?' };
  const wrong = validateRecipe({}, { recipe: synthesis, set: ['outputs=x.jsonl', 'output=null'] });
  await expect(wrong).rejects.toMatchObject({
    problems: expect.arrayContaining([expect.objectContaining(misspelled)]),
  });
});

test('given to another command, it is refused in one sentence', async () => {
  const code = 'recipe_of_another_kind';
  await expect(readRecipe(synthesis)).rejects.toMatchObject({ problems: [{ code, line: 1 }] });
  await expect(readSynthesisRecipe(training)).rejects.toMatchObject({ problems: [{ code, line: 1 }] });
  await expect(readRecipe(synthesis, ['base_model=m'])).rejects.toMatchObject({
    problems: expect.arrayContaining([expect.objectContaining({ code: 'unknown_key' })]),
  });
});
