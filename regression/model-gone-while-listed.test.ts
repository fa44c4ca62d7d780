/** What was wrong: a folder of a model that was removed between being found and being measured made the list an unexpected error. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { finish } from '../apps/agent/src/service/finish.ts';
import { listModels } from '../apps/agent/src/service/models/list.ts';
import { goldenPath, temporaryFolder } from '../packages/core/test/fixtures.ts';

it('a model that is gone when it is looked at says so, and the others are listed', async () => {
  const [here, gone] = [goldenPath('llama3'), join(temporaryFolder(), 'gone')];
  const models = await finish(listModels({}, { paths: [here, gone], runs: [] }));
  const [found, lost] = [here, gone].map((path) => models.find((model) => model.path === path));
  expect(found).toMatchObject({ error: null });
  expect(lost).toMatchObject({ bytes: 0, error: { what: expect.any(String) } });
});
