/** The library of uploads made their folder from its constructor and threw from a callback: without the folder, the agent ended. */
import fs from 'node:fs';
import { expect, test, vi } from 'vitest';
import { Uploads, uploadsPath } from '../apps/agent/src/daemon/data/uploads.ts';
import { Workspace } from '../apps/agent/src/daemon/workspace.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

test('nothing is made by a call that nobody waits for', async () => {
  const unheard = vi.spyOn(fs, 'mkdir');
  const uploads = new Uploads(new Workspace(temporaryFolder()));
  const url = `http://127.0.0.1${uploadsPath}/${'0'.repeat(32)}`;
  const answer = await uploads.handle(new Request(url, { method: 'HEAD', headers: { 'tus-resumable': '1.0.0' } }));
  expect(answer.status).toBe(404);
  expect(unheard).not.toHaveBeenCalled();
});
