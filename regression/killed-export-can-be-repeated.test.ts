/** Of an export into several forms, a kill left the first ones: the same command was then refused, because something was there already. */
import { readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { exportTogether } from '../apps/agent/src/service/exports/exportTogether.ts';
import { annealIn, annealPath, startNode } from '../apps/agent/test/helpers/anneal.ts';
import { UserError } from '../packages/core/src/errors.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

test('nothing is there until everything is, and the same command ends the work', async () => {
  const folder = temporaryFolder();
  const model = join(import.meta.dirname, '../apps/agent/starter/model');
  const args = ['export', model, '--merged', 'f32', '--gguf', 'f32,q8_0', '--to', 'out'];
  const out = join(folder, 'out');
  let killed = 0;
  for (let round = 0; round < 40 && killed < 3; round++) {
    const { child, ended } = startNode([annealPath, ...args], folder);
    // When the first form is there and others are not; how far it then gets is left to chance.
    while (child.exitCode === null && !staged(out).includes('merged'))
      await new Promise((resolve) => setTimeout(resolve, 1));
    child.kill('SIGKILL');
    await ended;
    const there = readdirSync(out).filter((name) => !name.startsWith('.'));
    if (there.length === 2) rmSync(out, { recursive: true });
    else {
      killed++;
      expect(there).toEqual([]);
    }
  }
  expect(killed).toBeGreaterThan(0);
  const anneal = annealIn(folder);
  expect(await anneal(...args)).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('out/gguf/') });
  expect(readdirSync(out).sort()).toEqual(['anneal-export.json', 'gguf', 'merged']);
  const again = await anneal(...args);
  expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('an export replaces nothing') });
  expect(readdirSync(out).sort()).toEqual(['anneal-export.json', 'gguf', 'merged']);
});

test('what cannot be written is told of the folder that was asked for, not of the one in which it began', async () => {
  const out = join(temporaryFolder(), 'out');
  await expect(exportTogether(out, ['gguf'], { write: ontoAFullDisk, entries: () => [] })).rejects.toMatchObject({
    what: 'the disk is full',
    where: out,
  });
});

async function ontoAFullDisk(staging: string): Promise<never> {
  throw new UserError({ what: 'the disk is full', where: join(staging, 'gguf', 'x.gguf'), code: 'disk_full' });
}

/** Names anywhere below `out`; none while that comes and goes. */
function staged(out: string): string[] {
  try {
    return readdirSync(out, { recursive: true, encoding: 'utf8' }).map((path) => basename(path));
  } catch {
    return [];
  }
}
