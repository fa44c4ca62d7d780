/** Loaded models: shared, bounded, freed, and their answers broken off. */
import { cpSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { writeTinyModel } from '../../../packages/core/test/fixtures.ts';
import type { Wanted } from '../src/daemon/chat/chattables.ts';
import { LoadedModels } from '../src/daemon/chat/loadedModels.ts';
import { finish } from '../src/service/finish.ts';
import { temporaryFolder } from './helpers/anneal.ts';

const client = 'somebody';
/** Without randomness this model never ends by itself. */
const long = { messages: [{ role: 'user', content: 'ant' }], temperature: 0, maxTokens: 480 };
const short = { ...long, maxTokens: 1 };

function open(count = 1): { models: LoadedModels; wanted: Wanted[]; said: string[] } {
  const folder = temporaryFolder();
  const first = writeTinyModel(folder);
  const said: string[] = [];
  const models = new LoadedModels((text) => said.push(text));
  onTestFinished(() => models.close());
  const wanted = Array.from({ length: count }, (_, i) => {
    const source = join(folder, `model-${i}`);
    if (i === count - 1) renameSync(first, source);
    else cpSync(first, source, { recursive: true });
    return { id: `model-${i}`, key: source, source, checkpoint: undefined, base: false, run: undefined };
  });
  return { models, wanted, said };
}

const namesOf = (models: LoadedModels): string[] => models.list().map(({ model }) => model);

test('a model is loaded once for all who ask, and says what it takes', async () => {
  const { models, wanted } = open();
  const [model] = wanted as [Wanted];
  const measured = await models.measure(model);
  expect(measured?.bytes).toBeGreaterThan(1000);
  expect(measured?.available).toBeGreaterThan(measured?.bytes ?? 0);
  const ends = await Promise.all([1, 2, 3].map(() => finish(models.answer(model, short, { client }))));
  expect(new Set(ends.map(({ text }) => text)).size).toBe(1);
  expect(models.list()).toMatchObject([
    { model: 'model-0', state: 'ready', bytes: measured?.bytes, answering: false, waiting: 0 },
  ]);
  expect(await models.measure(model)).toBeUndefined();
  await models.unload('model-0');
  expect(models.list()).toEqual([]);
});

test('of more than four the one that was used longest ago makes room', async () => {
  const { models, wanted } = open(5);
  for (const model of wanted) await finish(models.answer(model, short, { client }));
  expect(namesOf(models)).toEqual(['model-1', 'model-2', 'model-3', 'model-4']);
});

test('those that nobody talks to make room when it is needed, and one that is answering stays', async () => {
  const { models, wanted } = open(2);
  const [idle, busy] = wanted as [Wanted, Wanted];
  await finish(models.answer(idle, short, { client }));
  const answering = finish(models.answer(busy, long, { client }));
  await models.closeIdle();
  expect(namesOf(models)).toEqual(['model-1']);
  expect((await answering).tokens).toBe(480);
});

test('an answer that nobody waits for any more leaves the model to others', async () => {
  const { models, wanted } = open();
  const [model] = wanted as [Wanted];
  await finish(models.answer(model, short, { client }));
  const given = new AbortController();
  const answering = finish(models.answer(model, long, { client, signal: given.signal }));
  const other = finish(models.answer(model, short, { client: 'other' }));
  given.abort();
  await expect(answering).rejects.toMatchObject({ name: 'AbortError' });
  expect((await other).tokens).toBe(1);
  for await (const _ of models.answer(model, long, { client })) break;
  expect(models.list()).toMatchObject([{ answering: false, waiting: 0 }]);
});

test('a process that dies is an error for those who wait, and the next request loads the model again', async () => {
  const { models, wanted, said } = open();
  const [model] = wanted as [Wanted];
  await finish(models.answer(model, short, { client }));
  const pid = models.pidOf('model-0') as number;
  const answering = finish(models.answer(model, long, { client }));
  answering.catch(() => undefined); // looked at below
  process.kill(pid, 'SIGKILL');
  await expect(answering).rejects.toMatchObject({ code: 'process_died' });
  expect(said).toEqual([expect.stringContaining('SIGKILL')]);
  expect((await finish(models.answer(model, short, { client }))).tokens).toBe(1);
});

test('a model that cannot be loaded is forgotten', async () => {
  const { models } = open();
  const gone = { id: 'gone', key: 'gone', source: '/gone', checkpoint: undefined, base: false, run: undefined };
  await expect(finish(models.answer(gone, short, { client }))).rejects.toMatchObject({ code: 'model_not_found' });
  expect(models.list()).toEqual([]);
});
