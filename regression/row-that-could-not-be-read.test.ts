/** A row of opened data that could not be read once – too many open files, a disk that was away – was refused until the data were closed. */
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { BrowsedData } from '../apps/agent/src/service/data/browse.ts';
import { openData } from '../apps/agent/src/service/data/inspect.ts';
import { beginProject } from '../apps/agent/src/service/recipes/init.ts';
import { temporaryFolder } from '../apps/agent/test/helpers/anneal.ts';
import { writeCapitalsTask, writeTinyModel } from '../packages/core/test/fixtures.ts';

test('a row that could not be read is read when it is asked for again', async () => {
  const folder = temporaryFolder();
  vi.stubEnv('ANNEAL_CACHE', join(folder, 'cache'));
  onTestFinished(() => void vi.unstubAllEnvs());
  await beginProject(
    {},
    { folder: join(folder, 'project'), model: writeTinyModel(folder), data: writeCapitalsTask(folder) },
  );
  const opened = await openData({}, { source: join(folder, 'project', 'recipe.yaml') });
  const range = opened.rows.range.bind(opened.rows);
  let isAway = true;
  vi.spyOn(opened.rows, 'range').mockImplementation((wanted, ...rest) => {
    const rows = range(wanted, ...rest);
    if (isAway && wanted?.first === 3) rows.next = () => Promise.reject(new Error('the disk is away'));
    return rows;
  });
  const data = new BrowsedData(opened);
  onTestFinished(() => data.close());
  const row = () => data.row({ row: 3 });
  await expect(row()).rejects.toThrow('the disk is away');
  isAway = false;
  expect((await row()).number).toBe(3);
});
