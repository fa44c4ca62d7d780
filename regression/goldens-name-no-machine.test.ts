/** Reference adapters were copied with the path of the base on the machine that made them. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const golden = join(import.meta.dirname, '..', 'packages', 'core', 'test', 'golden');

test('reference adapters name their base, and no folder of a machine', () => {
  const configs = globSync('**/adapter_config.json', { cwd: golden });
  expect(configs.length).toBeGreaterThan(16);
  const bases = configs.map((path) => JSON.parse(readFileSync(join(golden, path), 'utf8')).base_model_name_or_path);
  expect(bases.filter((base) => base?.startsWith('/'))).toEqual([]);
});
