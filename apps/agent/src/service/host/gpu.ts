/** What the doctor says of GPUs: what is there, what this build can do with it, and what to do where that is less than could be. */
import type { CudaReport } from '@anneal/core/device';
import type { Finding } from '@anneal/core/protocol/host';
import { formatBytes } from '../../units.ts';
import type { NvidiaHost } from './nvidiaHost.ts';

/** The oldest that the kernels are written for: Ampere. */
const oldestCapability = 8;
/** The first driver for CUDA 13, which the backend is built with. */
const oldestDriver = 580;

/** @param host what Linux says, without CUDA */
export function gpuFindings(cuda: CudaReport, host: NvidiaHost): Finding[] {
  const { devices, driverVersion, library } = cuda;
  if (!library) return [withoutCuda(host)];
  const build: Finding = { name: 'CUDA', state: 'ok', found: `this build has code for ${library.targets}` };
  const trouble = driverTrouble(cuda, host);
  if (trouble) return [build, trouble];
  if (devices.length === 0)
    return [build, { name: 'GPU', state: 'ok', found: 'no NVIDIA GPU: training runs on the CPU' }];
  const driver = host.driver ? `driver ${host.driver}` : `a driver for CUDA ${Math.floor(driverVersion / 1000)}`;
  const gpus = devices.map((device) => gpuFinding(device, driver));
  return [build, ...gpus, ...(devices.some(({ hasCode }) => hasCode) ? [blasFinding(library)] : [])];
}

function withoutCuda({ gpus }: NvidiaHost): Finding {
  const advice =
    'to build with CUDA: `npm run cuda-toolkit && npm run build` in the repository, or set CUDA_HOME to a CUDA 13 toolkit before the build';
  const found = 'this build has none, as nvcc was not found or ANNEAL_CUDA=off was set';
  if (gpus === 0) return { name: 'CUDA', state: 'ok', found: `${found}; there is no NVIDIA GPU either`, advice };
  return { name: 'CUDA', state: 'warn', found: `${found}: ${counted(gpus)} cannot be used`, advice };
}

/** Why CUDA sees no GPU though there is one, or sees fewer than there are. */
function driverTrouble(cuda: CudaReport, { driver, gpus }: NvidiaHost): Finding | undefined {
  const major = Number(driver?.split('.')[0]);
  if (driver && major < oldestDriver) {
    return warn(
      `the NVIDIA driver is ${driver}, and CUDA 13 needs ${oldestDriver} or newer`,
      `update the driver to ${oldestDriver} or newer; \`device: cpu\` works meanwhile`,
    );
  }
  if (!driver && cuda.driverVersion === 0) {
    if (gpus === 0) return undefined;
    return warn(
      `there is ${counted(gpus)}, and no NVIDIA driver`,
      `install the driver, ${oldestDriver} or newer; in a container, start it with the GPUs (\`docker run --gpus all\`)`,
    );
  }
  if (cuda.error !== null) {
    return warn(
      `CUDA: ${cuda.error}`,
      'see what `nvidia-smi` says; after an update of the driver the host has to be restarted',
    );
  }
  if (gpus > 0 && cuda.devices.length === 0) {
    return warn(
      `there is ${counted(gpus)}, and CUDA is shown none`,
      'unset CUDA_VISIBLE_DEVICES; in a container, start it with the GPUs (`docker run --gpus all`)',
    );
  }
  return undefined;
}

function warn(found: string, advice: string): Finding {
  return { name: 'GPU', state: 'warn', found, advice };
}

function gpuFinding(gpu: CudaReport['devices'][number], driver: string): Finding {
  const { name, computeCapability, memoryBytes, hasCode } = gpu;
  const found = `${name}, ${formatBytes(memoryBytes)}, compute capability ${computeCapability}, ${driver}`;
  if (hasCode) return { name: 'GPU', state: 'ok', found };
  const [major = 0, minor = 0] = computeCapability.split('.').map(Number);
  if (major < oldestCapability) {
    return warn(
      `${found}: too old, as the kernels need compute capability 8.0 (Ampere)`,
      'training runs on the CPU: `device: cpu`',
    );
  }
  const target = `${major}${minor}${major === 9 ? 'a' : ''}-real`;
  return warn(
    `${found}: this build has no code for it`,
    `build it in the repository: \`ANNEAL_CUDA_ARCHITECTURES=${target} npm run build\``,
  );
}

function blasFinding({ path, version, problem }: NonNullable<CudaReport['library']>): Finding {
  if (problem === null) return { name: 'cuBLASLt', state: 'ok', found: `${version}, ${path}` };
  const lines = problem.split('\n').map((line) => line.trim());
  const advice = lines.pop() ?? '';
  return { name: 'cuBLASLt', state: 'warn', found: lines.join(' '), advice };
}

function counted(gpus: number): string {
  return gpus === 1 ? 'an NVIDIA GPU' : `${gpus} NVIDIA GPUs`;
}
