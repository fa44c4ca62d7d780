/** Runs in a folder behind the 2,000th were not in the list, and nobody was told. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { mostFolders, Workspace } from '../apps/agent/src/daemon/workspace.ts';
import { temporaryFolder } from '../apps/agent/test/helpers/anneal.ts';

it('says once that there are more folders than are looked into', () => {
  const root = temporaryFolder();
  const said: string[] = [];
  const workspace = new Workspace(root, undefined, (text) => said.push(text));
  for (let at = 0; at < mostFolders - 2; at++) mkdirSync(join(root, `${at}`));
  workspace.folders();
  expect(said).toEqual([]);
  for (const name of ['x', 'y']) mkdirSync(join(root, name));
  for (let time = 0; time < 2; time++) workspace.folders();
  expect(said).toEqual([expect.stringContaining(`${mostFolders} folders or more`)]);
});
