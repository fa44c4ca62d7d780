/**
 * With `checkpoints` linked to another folder, opening a run deleted every dot-file there, and every folder whose name a run
 * could have given; a run with a named pipe in it hung whoever listed the runs.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { listRuns } from '../apps/agent/src/service/runs/list.ts';
import { listCheckpoints } from '../packages/core/src/trainer/checkpointStore.ts';
import { removeRun } from '../packages/core/src/trainer/removeRun.ts';
import { RunDirectory } from '../packages/core/src/trainer/runDirectory.ts';
import { runEntries } from '../packages/core/src/trainer/runFiles.ts';
import { readRun } from '../packages/core/src/trainer/runReader.ts';
import { temporaryFolder } from '../scripts/testing/temporaryFolder.ts';

let root: string;
let elsewhere: string;
let path: string;

beforeEach(async () => {
  root = temporaryFolder('links');
  elsewhere = temporaryFolder('elsewhere');
  mkdirSync(join(elsewhere, '.ssh'));
  mkdirSync(join(elsewhere, 'checkpoint-7'));
  for (const file of ['.profile', '.ssh/key', 'checkpoint-7/mine']) writeFileSync(join(elsewhere, file), 'mine');
  const run = await RunDirectory.create({ root, name: 'a', recipeText: 'a', resolvedText: 'a' });
  await run.close();
  path = run.path;
});

const untouched = () =>
  expect(readdirSync(elsewhere, { recursive: true }).sort()).toEqual(
    ['.profile', '.ssh', '.ssh/key', 'checkpoint-7', 'checkpoint-7/mine'].sort(),
  );

test.each(runEntries.folders)('%s that is a link is refused, and nothing behind it changes', async (name) => {
  rmSync(join(path, name), { recursive: true, force: true });
  symlinkSync(elsewhere, join(path, name));
  await expect(RunDirectory.open(path)).rejects.toMatchObject({ code: 'run_entry_foreign', where: join(path, name) });
  expect(() => readRun(path)).toThrow(/this is a link/);
  expect(() => removeRun(path)).toThrow(/this is a link/);
  untouched();
});

const files = [...runEntries.files, ...runEntries.data.map((name) => `data/${name}`)];

test.each(files)('%s that is a link is refused, and nothing behind it changes', async (name) => {
  const target = join(elsewhere, '.profile');
  rmSync(join(path, name), { force: true });
  mkdirSync(join(path, 'data'), { recursive: true });
  symlinkSync(target, join(path, name));
  await expect(RunDirectory.open(path)).rejects.toMatchObject({ code: 'run_entry_foreign', where: join(path, name) });
  expect(readFileSync(target, 'utf8')).toBe('mine');
});

test.skipIf(process.platform === 'win32').each(files)('%s that is a pipe hangs nobody', async (name) => {
  rmSync(join(path, name), { force: true });
  mkdirSync(join(path, 'data'), { recursive: true });
  execFileSync('mkfifo', [join(path, name)]);
  const other = await RunDirectory.create({ root, name: 'b', recipeText: 'b', resolvedText: 'b' });
  await other.close();
  await expect(RunDirectory.open(path)).rejects.toMatchObject({ code: 'run_entry_foreign' });
  expect(await listRuns({ runsFolder: root })).toMatchObject([
    { path, state: 'damaged', error: { code: 'run_entry_foreign' } },
    { path: other.path, state: 'created' },
  ]);
});

test('in checkpoints only what a run has written is removed', async () => {
  const folder = join(path, 'checkpoints');
  renameSync(join(elsewhere, '.ssh'), join(folder, '.ssh'));
  writeFileSync(join(folder, '.notes'), 'mine');
  symlinkSync(elsewhere, join(folder, '.checkpoint-3.partial'));
  symlinkSync(elsewhere, join(folder, 'checkpoint-9'));
  mkdirSync(join(folder, '.checkpoint-5.partial'));
  await (await RunDirectory.open(path)).close();
  expect(readdirSync(folder).sort()).toEqual(['.checkpoint-3.partial', '.notes', '.ssh', 'checkpoint-9']);
  expect(existsSync(join(folder, '.ssh', 'key'))).toBe(true);
  expect(existsSync(join(elsewhere, 'checkpoint-7', 'mine'))).toBe(true);
});

test('a checkpoint with a link, or with a part that it was not saved with, is none to use', async () => {
  const run = await RunDirectory.open(path);
  const { path: checkpoint } = await run.saveCheckpoint(3, async (folder) => {
    mkdirSync(join(folder, 'inner'));
    for (const name of ['model.safetensors', 'inner/named.jinja']) writeFileSync(join(folder, name), 'mine');
  });
  await run.close();
  const list = () => listCheckpoints(join(path, 'checkpoints'));
  expect(await list()).toMatchObject([{ step: 3 }]);
  for (const name of ['model.safetensors', 'inner']) {
    const target = join(elsewhere, 'part');
    renameSync(join(checkpoint, name), target);
    symlinkSync(target, join(checkpoint, name));
    await expect(list()).rejects.toMatchObject({ code: 'checkpoint_damaged' });
    rmSync(join(checkpoint, name));
    renameSync(target, join(checkpoint, name));
  }
  for (const name of ['chat_template.jinja', 'inner/more.safetensors']) {
    writeFileSync(join(checkpoint, name), 'mine');
    await expect(list()).rejects.toMatchObject({ code: 'checkpoint_damaged', where: join(checkpoint, name) });
    rmSync(join(checkpoint, name));
  }
  writeFileSync(join(checkpoint, 'model.safetensors'), 'mine, and more');
  await expect(list()).rejects.toThrow(/14 bytes, and was saved with 4/);
});

test('removing a run removes no more than the run', async () => {
  symlinkSync(elsewhere, join(path, 'export', 'model'));
  writeFileSync(join(path, 'notes.md'), 'mine');
  expect(() => removeRun(path)).toThrow(/holds what no run has: notes.md/);
  rmSync(join(path, 'notes.md'));
  symlinkSync(path, join(root, 'link'));
  expect(() => removeRun(join(root, 'link'))).toThrow(/this is no folder/);
  const running = await RunDirectory.open(path);
  expect(() => removeRun(path)).toThrow(/another process is writing/);
  await running.close();
  removeRun(path);
  expect(readdirSync(root)).toEqual(['link']);
  untouched();
});
