// --checkpoint of a model or a recipe, and --base of a model, were ignored; a conversation that ended with an answer was answered;
// `export --ollama` said that nothing was named.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exitCodes } from '../apps/agent/src/exitCodes.ts';
import { annealIn, temporaryFolder } from '../apps/agent/test/helpers/anneal.ts';

test('what an option cannot do where it is given is an error that names it', async () => {
  const folder = temporaryFolder();
  const anneal = annealIn(folder);
  await anneal('init', '.');
  const asked = { role: 'user', content: 'a' };
  writeFileSync(join(folder, 'answered.json'), JSON.stringify([asked, { role: 'assistant', content: 'b' }]));
  const cases: [string[], string][] = [
    [['chat', 'model', '--prompt', 'a', '--checkpoint', '3'], 'only a run has checkpoints'],
    [['export', 'model', '--gguf', 'q8_0', '--to', 'out', '--checkpoint', 'best'], 'only a run has checkpoints'],
    [['eval', 'recipe.yaml', '--checkpoint', '3'], 'only a run has checkpoints'],
    [['chat', 'model', '--prompt', 'a', '--base'], 'there is no base beneath it'],
    [['chat', 'model', '--messages', 'answered.json'], 'ends with an answer'],
    [['export', 'model', '--ollama', '--to', 'out'], 'needs a GGUF file beside it'],
  ];
  for (const [args, what] of cases) {
    const { code, stderr } = await anneal(...args);
    expect({ args, code, stderr }).toMatchObject({ code: exitCodes.badInput, stderr: expect.stringContaining(what) });
  }
});
