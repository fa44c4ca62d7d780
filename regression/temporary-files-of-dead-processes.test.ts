/** What a killed process had half written stayed forever: beside status.json, beside exports, and as hidden runs. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { writeNewFolder } from '../packages/core/src/export/newFolder.ts';
import { RunDirectory } from '../packages/core/src/trainer/runDirectory.ts';
import { writeAtomically } from '../packages/formats/src/files/atomicWrite.ts';
import { temporaryBeside } from '../packages/formats/src/files/processOwner.ts';
import { makeTemporaryFolder } from '../packages/formats/src/files/temporaryFolder.ts';
import { temporaryFolder } from '../scripts/testing/temporaryFolder.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder('leftovers');
});

/** A name that a process which has ended gave. */
function nameOfTheDead(path: string): string {
  const module = join(import.meta.dirname, '../packages/formats/src/files/processOwner.ts');
  const code = `import { temporaryBeside } from ${JSON.stringify(module)}; process.stdout.write(temporaryBeside(${JSON.stringify(path)}));`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }).stdout;
}

test('a file and a folder that are written again take the place of what was left', async () => {
  const [file, made] = [join(folder, 'model.gguf'), join(folder, 'merged')];
  writeFileSync(nameOfTheDead(file), 'half');
  mkdirSync(nameOfTheDead(made));
  const mine = temporaryBeside(file);
  writeFileSync(mine, 'another export of this process');
  writeFileSync(`${file}.partial`, "somebody's own");
  await writeAtomically(file, (out) => out.write(Buffer.from('whole')));
  await writeNewFolder(made, async (temporary) => writeFileSync(join(temporary, 'config.json'), '{}'));
  expect(readdirSync(folder).sort()).toEqual(
    ['merged', 'model.gguf', 'model.gguf.partial', mine.slice(folder.length + 1)].sort(),
  );
});

test('so does what a command prepared among the temporary files of the system', () => {
  const dead = nameOfTheDead(join(tmpdir(), 'anneal-regression'));
  mkdirSync(dead);
  const mine = makeTemporaryFolder('regression');
  const names = readdirSync(tmpdir()).filter((name) => name.startsWith('anneal-regression.'));
  rmSync(mine, { recursive: true });
  expect(names).toEqual([basename(mine)]);
});

test('a run that is created or opened clears away what was left of it', async () => {
  mkdirSync(nameOfTheDead(join(folder, '.new')));
  const run = await RunDirectory.create({ root: folder, name: 'a', recipeText: 'a', resolvedText: 'a' });
  await run.close();
  expect(readdirSync(folder)).toEqual([run.id]);
  const before = readdirSync(run.path).sort();
  for (const name of ['status.json', 'run.lock', 'lock.json', 'recipe.resolved.next.yaml']) {
    writeFileSync(nameOfTheDead(join(run.path, name)), 'half');
  }
  await (await RunDirectory.open(run.path)).close();
  expect(readdirSync(run.path).sort()).toEqual(before);
});
