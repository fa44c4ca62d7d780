import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withoutSuperseded } from '../src/protocol/events.ts';
import { RunDirectory } from '../src/trainer/runDirectory.ts';
import { temporaryFolder } from './fixtures.ts';
import {
  continueChanged,
  continueHere,
  createRun,
  eventsOf,
  lossesOf,
  tinyRecipe,
  trainHere,
  weightsHash,
} from './runs.ts';

const level = { lr_scheduler: 'constant', saves_per_epoch: 0 } as const;

describe('a finished run that is made longer', () => {
  test('with a level learning rate is the longer run, bit for bit, and says what changed', async () => {
    const folder = temporaryFolder();
    const recipe = tinyRecipe(folder, { ...level, max_steps: 12, lora_dropout: 0.1 });
    const long = await trainHere(recipe);
    const short = await trainHere({ ...recipe, max_steps: 5 });
    await using run = await RunDirectory.open(short.path);
    const extended = await continueChanged(run, 'max_steps=12', 'save_steps=4');
    expect(lossesOf({ events: withoutSuperseded(extended.events) })).toEqual(lossesOf(long));
    expect(weightsHash(extended, 12)).toBe(weightsHash(long, 12));
    expect(extended.steps).toEqual([5, 8, 12]);
    expect(eventsOf(extended, 'recipe_changed')).toMatchObject([
      {
        changes: expect.arrayContaining([
          { key: 'max_steps', from: 5, to: 12 },
          { key: 'save_steps', from: null, to: 4 },
          { key: 'saves_per_epoch', from: 0, to: null },
        ]),
      },
    ]);
    expect(eventsOf(extended, 'warning').map(({ code }) => code)).not.toContain('schedule_stretched');
    expect(run.readResolvedRecipe()).toMatch(/"?max_steps"?: 12/);
    expect(readFileSync(join(run.path, 'recipe.yaml'), 'utf8')).toContain('"max_steps":5');
    await run.close();
    await (await RunDirectory.open(run.path)).close();
  });

  test('with a falling learning rate warns of the jump', async () => {
    const short = await trainHere(tinyRecipe(temporaryFolder(), { max_steps: 4 }));
    await using run = await RunDirectory.open(short.path);
    const extended = await continueChanged(run, 'max_steps=8');
    const warnings = eventsOf(extended, 'warning');
    expect(warnings).toMatchObject([{ code: 'schedule_stretched' }]);
    expect(warnings[0]?.message).not.toMatch(/\d{9}/); // numbers for a reader
    expect(eventsOf(extended, 'finished').map(({ step }) => step)).toEqual([4, 8]);
  });

  test('before the decay of warmup_stable_decay is the longer run, bit for bit, too', async () => {
    const recipe = tinyRecipe(temporaryFolder(), {
      lr_scheduler: 'warmup_stable_decay',
      lr_scheduler_kwargs: { num_decay_steps: 3 },
      warmup_steps: 2,
      saves_per_epoch: 0,
      max_steps: 12,
    });
    const long = await trainHere(recipe);
    await using run = await createRun({ ...recipe, max_steps: 6 });
    const signal = {
      saveRequested: false,
      get stopRequested() {
        return (run.status.step ?? 0) >= 3;
      },
    };
    expect((await continueHere(run, { signal })).steps).toEqual([3]);
    const extended = await continueChanged(run, 'max_steps=12');
    expect(lossesOf({ events: withoutSuperseded(extended.events) })).toEqual(lossesOf(long));
    expect(weightsHash(extended, 12)).toBe(weightsHash(long, 12));
    expect(eventsOf(extended, 'warning').map(({ code }) => code)).not.toContain('schedule_stretched');
  });

  test('can be given epochs instead of steps', async () => {
    const short = await trainHere(tinyRecipe(temporaryFolder(), { ...level, max_steps: 4 }));
    await using run = await RunDirectory.open(short.path);
    const extended = await continueChanged(run, 'num_epochs=2');
    expect(eventsOf(extended, 'started').at(-1)?.totalSteps).toBe(12);
    expect(extended.steps.at(-1)).toBe(12);
  });

  test.each([
    ['max_steps=4', 'run_finished'],
    ['max_steps=3', 'run_finished'],
    ['num_epochs=0.5', 'run_finished'],
    ['learning_rate=0.5', 'resume_cannot_change'],
    ['seed=3', 'resume_cannot_change'],
  ])('%s is refused, and changes nothing', async (override, code) => {
    const { path } = await trainHere(tinyRecipe(temporaryFolder(), { ...level, max_steps: 4 }));
    const before = contents(path);
    const resumed = async () => {
      await using run = await RunDirectory.open(path);
      await continueChanged(run, override);
    };
    await expect(resumed()).rejects.toMatchObject({ code });
    expect(contents(path)).toEqual(before);
  });

  test('after an early stop goes on only with more patience', async () => {
    const changes = { val_set_size: 4, eval_steps: 1, early_stopping_patience: 1, learning_rate: 1, max_steps: 12 };
    const stopped = await trainHere(tinyRecipe(temporaryFolder(), { ...level, ...changes }));
    expect(eventsOf(stopped, 'early_stopped')).toHaveLength(1);
    await using run = await RunDirectory.open(stopped.path);
    await expect(continueChanged(run, 'max_steps=20')).rejects.toMatchObject({
      code: 'run_finished',
      next: expect.stringContaining('early_stopping_patience'),
    });
    const extended = await continueChanged(run, 'early_stopping_patience=100');
    expect(extended.steps.at(-1)).toBe(12);
  });
});

test('a kill while the recipe changes leaves the change done and recorded, or neither', async () => {
  const { path } = await trainHere(tinyRecipe(temporaryFolder(), { ...level, max_steps: 4 }));
  const [current, next] = [join(path, 'recipe.resolved.yaml'), join(path, 'recipe.resolved.next.yaml')];
  const old = readFileSync(current, 'utf8');
  writeFileSync(next, old.replace('"max_steps":4', '"max_steps":8'));
  await (await RunDirectory.open(path)).close();
  expect(readFileSync(current, 'utf8')).toBe(old);

  const run = await RunDirectory.open(path);
  run.changeRecipe(old.replace('"max_steps":4', '"max_steps":8'), [{ key: 'max_steps', from: 4, to: 8 }]);
  await run.close();
  renameSync(current, next);
  writeFileSync(current, old);
  await using again = await RunDirectory.open(path);
  expect(again.readResolvedRecipe()).toContain('"max_steps":8');
  expect((await continueHere(again)).steps.at(-1)).toBe(8);
});

/** Everything below, by path. */
function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(paths.map((path) => [path, readFileSync(path, 'base64')]));
}
