/** Writes the licenses of what others wrote beside the built studio, whose settings show them: the last step of its build. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lockedPackages } from './bundle/lockedPackages.ts';
import { thirdPartyNotices } from './bundle/notices.ts';

const root = join(import.meta.dirname, '..');
const parts = ['apps/web', 'apps/agent', 'packages/core', 'packages/formats', 'packages/kernels'];
const folders = lockedPackages(root, parts).sort();
writeFileSync(join(root, 'apps', 'web', 'out', 'licenses.txt'), thirdPartyNotices(folders, { cuda: false }));
