/**
 * `npm run cuda-toolkit`: NVIDIA's compiler for the CUDA sources, without root and without Python, into .anneal/cuda-toolkit,
 * where `npm run build` finds it. NVIDIA's license for the CUDA toolkit applies to what it fetches.
 */
import { UserError } from '@anneal/formats/errors';
import { toolkitFolder } from '../packages/kernels/scripts/findNvcc.mjs';
import { fetchToolkit } from './toolkit/fetchToolkit.ts';

if (process.platform !== 'linux' || process.arch !== 'x64') {
  fail(
    `the pinned toolkit is for Linux on x86-64, and this is ${process.platform} on ${process.arch}`,
    'install a CUDA 13 toolkit for this machine and set CUDA_HOME to it',
  );
}
try {
  let shown = 0;
  const fetched = await fetchToolkit(toolkitFolder, {
    onProgress: (file, receivedBytes, totalBytes) => {
      const percent = Math.floor((100 * receivedBytes) / totalBytes);
      if (percent < shown) return;
      console.error(`  ${String(percent).padStart(3)} % of ${(totalBytes / 1e6).toFixed(0)} MB  ${file}`);
      shown = percent - (percent % 10) + 10;
    },
  });
  console.error(
    `${toolkitFolder}: ${fetched ? 'CUDA 13.0, fetched' : 'is there already'}. \`npm run build\` builds with it.`,
  );
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  fail(`${error.what}${error.where ? `\n  where: ${error.where}` : ''}`, error.next ?? 'see above');
}

function fail(what: string, next: string): never {
  console.error(`error: ${what}\n  next: ${next}`);
  process.exit(1);
}
