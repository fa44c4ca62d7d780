/** `init "My Run"` said `anneal train My Run/recipe.yaml`, which the shell takes for two paths. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { annealIn } from '../apps/agent/test/helpers/anneal.ts';
import { shellWord } from '../packages/core/src/shellWord.ts';
import { temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';

test('what init tells to type is one path', async () => {
  const folder = temporaryFolder();
  const { code, stdout } = await annealIn(folder)('init', 'My Run', '--model', writeTinyModel(join(folder, 'model')));
  expect({ code, stdout }).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("anneal train 'My Run/recipe.yaml'\n"),
  });
});

test.each([
  ['runs/a-1', 'runs/a-1'],
  ["it's", String.raw`'it'\''s'`],
  ['$HOME', `'$HOME'`],
])('%s is typed as %s', (text, word) => {
  expect(shellWord(text)).toBe(word);
});
