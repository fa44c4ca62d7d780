// After the sources had changed, an addon that was built before ended every verb with "Cannot destructure property 'problem'",
// and a missing one was called a defect in Anneal. So was later one that read plans of another layout.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deviceFault } from '@anneal/core/deviceFault';
import { AddonFault, loadAddon } from '@anneal/kernels/addon';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../scripts/testing/temporaryFolder.ts';

const folder = temporaryFolder('addon');

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const older = file('older.cjs', 'exports.instructionSets = () => ["plain"]; exports.scratchBytesPerThread = 1;');
const other = file('other.cjs', `exports.boundary = "${'0'.repeat(64)}";`);
const damaged = file('damaged.node', 'no library');
const missing = join(folder, 'missing.node');

it.each([
  [older, 'was built from other sources'],
  [other, 'was built from other sources'],
  [damaged, 'cannot be loaded'],
  [missing, 'is not built'],
])('%s', (path, what) => {
  let fault: unknown;
  try {
    loadAddon(path);
  } catch (error) {
    fault = error;
  }
  expect(fault).toBeInstanceOf(AddonFault);
  expect(deviceFault(fault)).toMatchObject({
    code: 'addon_not_built',
    what: expect.stringContaining(what),
    where: path,
    next: expect.stringContaining('npm run build'),
  });
});

it('is told by a verb as what it is', () => {
  const bin = join(import.meta.dirname, '..', 'apps', 'agent', 'bin', 'anneal.mjs');
  const bench = ['bench', '--suite', 'ops', '--op', 'add', '--json'];
  expect(() =>
    execFileSync(process.execPath, [bin, ...bench], {
      env: { ...process.env, ANNEAL_ADDON: older },
      encoding: 'utf8',
      stdio: 'pipe',
    }),
  ).toThrow(expect.objectContaining({ status: 1, stdout: expect.stringContaining('"addon_not_built"') }));
});
