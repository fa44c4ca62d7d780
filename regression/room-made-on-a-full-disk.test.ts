/**
 * On a full disk nothing could be removed, as no lock could be written, and what had no words of its own for it, `anneal init` among it, told
 * of "a defect in Anneal" and left half a project that kept the next one from beginning.
 */
import * as files from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { beginProject } from '../apps/agent/src/service/recipes/init.ts';
import { removeCached } from '../packages/core/src/hub/removeCached.ts';
import { ProcessLock } from '../packages/core/src/processLock.ts';
import { removeRun } from '../packages/core/src/trainer/removeRun.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

let isFull = false;
const refuse = (path: unknown): never => {
  throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', path });
};

vi.mock('node:fs', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs')>();
  const writeFileSync = (...given: Parameters<typeof original.writeFileSync>) =>
    isFull ? refuse(given[0]) : original.writeFileSync(...given);
  return { ...original, default: { ...original, writeFileSync }, writeFileSync };
});

vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs/promises')>();
  const cp = (...given: Parameters<typeof original.cp>) =>
    isFull && String(given[0]).endsWith('model') ? refuse(given[1]) : original.cp(...given);
  return { ...original, default: { ...original, cp }, cp };
});

afterEach(() => {
  isFull = false;
});

test('a model and a run are removed, but for one that somebody holds', () => {
  const folder = temporaryFolder();
  const model = join(folder, 'owner', 'model', 'main');
  files.mkdirSync(model, { recursive: true });
  const runs = ['gone', 'held'].map((name) => {
    const run = join(folder, 'runs', name);
    files.mkdirSync(run, { recursive: true });
    for (const file of ['recipe.resolved.yaml', 'events.jsonl']) files.writeFileSync(join(run, file), '');
    return run;
  });
  const lock = ProcessLock.tryAcquire(join(runs[1] as string, 'run.lock'));
  isFull = true;
  removeCached(model);
  removeRun(runs[0] as string);
  expect(() => removeRun(runs[1] as string)).toThrow(expect.objectContaining({ code: 'run_in_use' }));
  expect([model, ...runs].map((path) => files.existsSync(path))).toEqual([false, false, true]);
  lock?.release();
});

test('a project that did not fit leaves nothing, so that it can be begun again', async () => {
  const folder = join(temporaryFolder(), 'project');
  isFull = true;
  await expect(beginProject({}, { folder })).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(files.readdirSync(folder)).toEqual([]);
  isFull = false;
  await beginProject({}, { folder });
  expect(files.readdirSync(folder).toSorted()).toEqual(['data', 'model', 'recipe.yaml']);
});
