/** The lengths of all validation rows were handed to one call of Math.max, which takes some 120,000 arguments: more rows ended the run. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resolveRecipe } from '../packages/core/src/recipe/resolve.ts';
import { createJob } from '../packages/core/src/trainer/job.ts';
import { openSession } from '../packages/core/src/trainer/session.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { tinyRecipe } from '../packages/core/test/runs.ts';

test('a session opens with 130,000 validation rows', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'test.txt');
  writeFileSync(path, 'ab\n'.repeat(130_000));
  const recipe = tinyRecipe(folder, { test_datasets: [{ path }] });
  const session = await openSession(createJob(resolveRecipe(recipe, { baseDirectory: '/' })), { dataFolder: folder });
  expect(session.data.validation?.count).toBe(130_000);
  await session.close();
});
