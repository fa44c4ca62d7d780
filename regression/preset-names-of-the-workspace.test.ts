/**
 * A recipe that is begun in the studio names a model and data by what lies in the workspace, or in a hub. The agent looked for them in
 * the folder that it was started in: a data set of a hub was taken for a folder that happened to be there.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { beginProject, isPublished } from '../apps/agent/src/service/recipes/init.ts';
import { temporaryFolder } from '../apps/agent/test/helpers/anneal.ts';

/** Folders of this repository, where the tests run, that could be names of a hub. */
const [data, model] = ['apps/web', 'apps/agent'];

test('what lies beside the agent is no model and no data of the workspace', async () => {
  expect([data, model].map((name) => existsSync(name))).toEqual([true, true]);
  const workspace = temporaryFolder();
  await beginProject({ baseFolder: workspace }, { folder: 'mine', preset: 'lora', model, data });
  const recipe = readFileSync(join(workspace, 'mine', 'recipe.yaml'), 'utf8');
  expect(recipe).toMatch(/^base_model: "apps\/agent"$/m);
  expect(recipe).toMatch(/^ +- path: "apps\/web"$/m);
});

test('a folder of the workspace is meant rather than a data set of that name', () => {
  const workspace = temporaryFolder();
  expect(isPublished('team/rows', workspace)).toBe(true);
  mkdirSync(join(workspace, 'team', 'rows'), { recursive: true });
  expect(isPublished('team/rows', workspace)).toBe(false);
});
