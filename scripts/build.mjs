// `npm run build`: what is out of date, by turbo. The CUDA compiler is looked for here, so that a build without one is made anew when one is there.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { findNvcc } from '../packages/kernels/scripts/findNvcc.mjs';
import { root } from './installStamp.mjs';

const turbo = join(root, 'node_modules', '.bin', 'turbo');
const { status } = spawnSync(turbo, ['run', 'build', '--output-logs=errors-only', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, ANNEAL_NVCC: findNvcc() ?? '' },
});
process.exitCode = status ?? 1;
