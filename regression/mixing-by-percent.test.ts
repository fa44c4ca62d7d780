/**
 * Data sets mixed by percent could be inspected, estimated and dry-run, but not trained: recipe.resolved.yaml of the run had
 * `weight: 1` beside each `percent`, and that was refused when the run read it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { annealIn, temporaryFolder } from '../apps/agent/test/helpers/anneal.ts';
import { writeTinyModel } from '../packages/core/test/fixtures.ts';

test('a run mixes 75 to 25, of at most so many samples', async () => {
  const folder = temporaryFolder();
  writeTinyModel(folder);
  const rows = (name: string, count: number) =>
    writeFileSync(
      join(folder, `${name}.jsonl`),
      Array.from({ length: count }, (_, i) => `${JSON.stringify({ text: `${name} ${i}` })}\n`).join(''),
    );
  rows('a', 40);
  rows('b', 40);
  writeFileSync(
    join(folder, 'recipe.yaml'),
    [
      'base_model: ./tiny-smollm2',
      'datasets: [{path: a.jsonl, percent: 75}, {path: b.jsonl, percent: 25, max_samples: 8}]',
      'sequence_len: 64\nmax_steps: 1\n',
    ].join('\n'),
  );
  const { code, stdout, stderr } = await annealIn(folder)('train', 'recipe.yaml', '--json');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events.find(({ type }) => type === 'data_prepared')).toMatchObject({ rows: 80, trainingRows: 32 });
  const { id } = events.find(({ type }) => type === 'run_created');
  const resolved = readFileSync(join(folder, 'runs', id, 'recipe.resolved.yaml'), 'utf8');
  expect(resolved.match(/^ +weight: null/gm)).toHaveLength(2);
});
