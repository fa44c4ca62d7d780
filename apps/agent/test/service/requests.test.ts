import { dirname, join } from 'node:path';
import { dataReportSchema, inspectedRowSchema } from '@anneal/core/protocol/data';
import { estimateSchema } from '@anneal/core/protocol/estimates';
import { exportedFormSchema } from '@anneal/core/protocol/exports';
import { expect, onTestFinished, test, vi } from 'vitest';
import { writeCapitalsTask, writeTinyModel } from '../../../../packages/core/test/fixtures.ts';
import { openChat } from '../../src/service/chat/open.ts';
import { openData } from '../../src/service/data/inspect.ts';
import { estimateRun } from '../../src/service/estimate.ts';
import { exportSource } from '../../src/service/exports/export.ts';
import { finish } from '../../src/service/finish.ts';
import { beginProject } from '../../src/service/recipes/init.ts';
import { checkRecipe, validateRecipe } from '../../src/service/recipes/validate.ts';
import { showRun } from '../../src/service/runs/show.ts';
import { temporaryFolder } from '../helpers/anneal.ts';

/** A project with a tiny model. Whatever is written to the terminal from here on fails the test. */
async function project(): Promise<string> {
  const folder = temporaryFolder();
  vi.stubEnv('ANNEAL_CACHE', join(folder, 'cache'));
  const written = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write'));
  onTestFinished(() => {
    for (const stream of written) expect(stream).not.toHaveBeenCalled();
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });
  const model = writeTinyModel(folder);
  const rows = writeCapitalsTask(folder);
  await beginProject({}, { folder: join(folder, 'project'), model, data: rows });
  return join(folder, 'project', 'recipe.yaml');
}

test('results are what core/protocol says', async () => {
  const recipe = await project();
  const set = ['sequence_len=64', 'bf16=false'];
  expect((await validateRecipe({}, { recipe, set })).recipe).toMatchObject({ sequence_len: 64 });

  const phases: string[] = [];
  const { estimate } = await finish(estimateRun({}, { recipe, set }), ({ phase }) => phases.push(phase));
  expect(estimateSchema.parse(estimate)).toEqual(estimate);
  expect(phases.at(-1)).toBe('prepared');

  const data = await openData({}, { source: recipe, set });
  for await (const row of data.rows.range({ first: 2, last: 3 })) expect(inspectedRowSchema.parse(row)).toEqual(row);
  const { report, refusal } = await finish(data.report());
  await data.close();
  expect(refusal).toBeUndefined();
  expect(dataReportSchema.parse(report)).toEqual(report);

  const source = join(dirname(dirname(recipe)), 'tiny-smollm2');
  const forms = await finish(exportSource({}, { source, merged: 'f32', to: join(dirname(recipe), 'out') }));
  expect(forms.map((form) => exportedFormSchema.parse(form))).toEqual(forms);
  expect(forms).toMatchObject([{ form: 'merged', files: expect.anything() }]);

  const chat = await finish(openChat({}, { source, dtype: 'f32', context: 64 }));
  const pieces: string[] = [];
  const question = { messages: [{ role: 'user', content: 'ant' }], plain: true, maxTokens: 4, temperature: 0 };
  const end = await finish(chat.answer(question), ({ text }) => pieces.push(text));
  await chat.close();
  expect(end).toMatchObject({ text: pieces.join(''), tokens: 4, reason: 'length' });
});

test('a request that cannot be used says which field, and a recipe every mistake', async () => {
  const recipe = await project();
  const request = { source: '', checkpoint: 'best' };
  await expect(finish(exportSource({}, request))).rejects.toMatchObject({ code: 'bad_request', where: 'source' });
  await expect(finish(openChat({}, { source: 'x', context: 3 }))).rejects.toMatchObject({
    code: 'bad_request',
    where: 'context',
  });
  await expect(showRun({}, { run: '' })).rejects.toMatchObject({ code: 'bad_request', where: 'run' });
  const wrong = { recipe, set: ['lora_r=-1', 'learning_rate=fast'] };
  expect((await checkRecipe({}, wrong)).problems.map(({ path }) => path)).toEqual([['lora_r'], ['learning_rate']]);
  await expect(validateRecipe({}, wrong)).rejects.toMatchObject({ name: 'InvalidRecipe' });
});

test('an estimate that nobody waits for is broken off', async () => {
  const recipe = await project();
  for await (const progress of estimateRun({}, { recipe, set: ['sequence_len=64'] })) {
    if (progress.phase === 'planned') continue; // before the data are looked at
    expect(progress.phase).toBe('preparing');
    break;
  }
});
