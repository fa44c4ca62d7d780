import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');

/** Where `npm run cuda-toolkit` puts the pinned toolkit. */
export const toolkitFolder = join(root, '.anneal', 'cuda-toolkit');

/** Where a CUDA compiler is looked for, best first. */
function nvccCandidates(environment = process.env) {
  const { CUDACXX, ANNEAL_CUDA_TOOLKIT, CUDA_HOME, CUDA_PATH, PATH = '' } = environment;
  const folders = [ANNEAL_CUDA_TOOLKIT, CUDA_HOME, CUDA_PATH, toolkitFolder, '/usr/local/cuda', '/opt/cuda'];
  return [
    ...(CUDACXX ? [CUDACXX] : []),
    ...folders.flatMap((folder) => (folder ? [join(folder, 'bin', 'nvcc')] : [])),
    ...PATH.split(delimiter).flatMap((folder) => (folder ? [join(folder, 'nvcc')] : [])),
  ];
}

/** The compiler to build the CUDA backend with; null where there is none, or ANNEAL_CUDA=off asks for a build without. */
export function findNvcc(environment = process.env) {
  if (environment.ANNEAL_CUDA === 'off') return null;
  return nvccCandidates(environment).find((path) => existsSync(path)) ?? null;
}
