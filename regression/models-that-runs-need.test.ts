/**
 * A model was removable while it judged the answers of a run, or was the base of what judged them, and so was an adapter that a run had begun
 * with: only the run's own base was looked for.
 */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { usersOf } from '../apps/agent/src/service/models/users.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

const ADAPTER = join(import.meta.dirname, '../packages/core/test/golden/peft/dora/adapter');

function runWith(folder: string, id: string, recipe: unknown): string {
  const run = join(folder, id);
  mkdirSync(run);
  writeFileSync(join(run, 'recipe.resolved.yaml'), JSON.stringify(recipe));
  return run;
}

const reward = (model: string) => ({ trl: { reward_funcs: ['a.ts', { type: 'reward_model', model }] } });

test('reward models, their bases and adapters to begin with are needed', () => {
  const folder = temporaryFolder();
  const place = (name: string) => join(folder, name);
  for (const name of ['base', 'judge', 'judges-base', 'other', 'base-2']) mkdirSync(place(name));
  cpSync(ADAPTER, place('adapters/first'), { recursive: true });
  const config = place('adapters/first/adapter_config.json');
  const base_model_name_or_path = place('judges-base');
  writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')), base_model_name_or_path }));
  const runs = [
    runWith(folder, 'plain', { base_model: place('base') }),
    runWith(folder, 'judged', { base_model: place('base'), ...reward(place('judge')) }),
    runWith(folder, 'judged-2', { base_model: place('base'), ...reward(place('adapters/first')) }),
    runWith(folder, 'begun', { base_model: place('gone'), lora_model_dir: place('adapters/first'), trl: null }),
    runWith(folder, 'damaged', []),
  ];
  const users = usersOf(runs);
  expect(users(place('base'))).toEqual(['plain', 'judged', 'judged-2']);
  expect(users(place('judge'))).toEqual(['judged']);
  expect(users(place('judges-base'))).toEqual(['judged-2']);
  expect(users(place('adapters'))).toEqual(['judged-2', 'begun']);
  expect(users(place('other'))).toEqual([]);
  expect(users(place('bas'))).toEqual([]);
});
