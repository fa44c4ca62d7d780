/**
 * A named pipe in the place of a recipe, of rows or of a part of a model was opened, and waited for a writer forever. In the place of a file
 * that only goes along with the model, it was found when the first checkpoint was written.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { annealIn, temporaryFolder } from '../apps/agent/test/helpers/anneal.ts';
import { writeCapitalsTask, writeTinyModel } from '../packages/core/test/fixtures.ts';

const hangs = { timeout: 30_000 };

test('a pipe is refused with its path', hangs, async () => {
  const folder = temporaryFolder();
  const anneal = annealIn(folder);
  const model = writeTinyModel(folder);
  const rows = writeCapitalsTask(folder);
  for (const [name, ...args] of [
    ['pipe.yaml', 'validate', 'pipe.yaml'],
    ['pipe.jsonl', 'inspect', 'pipe.jsonl', '--model', model],
    ['pipe.csv', 'inspect', 'pipe.csv', '--model', model],
    ['tiny-smollm2/special_tokens_map.json', 'inspect', rows, '--model', model],
    ['tiny-smollm2/config.json', 'inspect', rows, '--model', model],
    ['pipe.gguf', 'inspect', rows, '--model', 'pipe.gguf'],
  ] as const) {
    rmSync(join(folder, name), { force: true });
    execFileSync('mkfifo', [join(folder, name)]);
    const { code, stderr } = await anneal(...args);
    expect(stderr).toContain('a pipe or device, not a regular file');
    expect(stderr).toContain(name);
    expect(code).toBe(2);
  }
});

test('in the place of a folder of templates it is refused, too', hangs, async () => {
  const folder = temporaryFolder();
  const model = writeTinyModel(folder);
  const place = join(model, 'additional_chat_templates');
  execFileSync('mkfifo', [place]);
  const { code, stderr } = await annealIn(folder)('inspect', writeCapitalsTask(folder), '--model', model);
  expect(stderr).toContain(`it is no folder\n  at ${place}`);
  expect(code).toBe(2);
});
