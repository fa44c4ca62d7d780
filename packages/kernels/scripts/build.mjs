// Configures and builds the addon into build/Release/anneal.node, or Release/ of the folder given, with the headers that npm brought: nothing is downloaded.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNvcc } from './findNvcc.mjs';

const [target = 'build'] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const folder = dirname(dirname(fileURLToPath(import.meta.url)));
const headers = require('node-api-headers').include_dir;
const wrapper = dirname(require.resolve('node-addon-api/napi.h'));

function run(command, args) {
  try {
    execFileSync(command, args, { cwd: folder, stdio: 'inherit' });
  } catch (error) {
    const missing = error.code === 'ENOENT';
    console.error(
      missing
        ? `Building the native addon needs ${command}, which is not installed.\n  Debian/Ubuntu: apt-get install cmake g++ make`
        : `Building the native addon failed: ${command} ${args.join(' ')}`,
    );
    process.exit(1);
  }
}

const nvcc = process.env.ANNEAL_NVCC ?? findNvcc();
console.error(
  nvcc ? `CUDA: compiled by ${nvcc}` : 'CUDA: left out, as nvcc was not found (`anneal doctor` says how to get it)',
);
run('cmake', [
  '-S',
  '.',
  '-B',
  target,
  '-DCMAKE_BUILD_TYPE=Release',
  `-DNODE_API_INCLUDE=${headers}`,
  `-DNODE_ADDON_API_INCLUDE=${wrapper}`,
  `-DANNEAL_NVCC=${nvcc ?? ''}`,
  `-DANNEAL_EMULATED_AMX=${process.env.ANNEAL_EMULATED_AMX === '1' ? 'ON' : 'OFF'}`,
  `-DCMAKE_CUDA_ARCHITECTURES=${process.env.ANNEAL_CUDA_ARCHITECTURES ?? '90a-real'}`,
]);
run('cmake', ['--build', target, '--parallel', String(availableParallelism())]);
