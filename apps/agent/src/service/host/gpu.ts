/** What the doctor says of GPUs: what is there, what this build can do with it, and what to do where that is less than could be. */
import type { CudaReport } from '@anneal/core/device';
import { type Finding, finding, type Saying, say } from '@anneal/core/protocol/checks';
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
  const build = finding('CUDA', 'ok', say('cuda_code', { targets: library.targets }));
  const trouble = driverTrouble(cuda, host);
  if (trouble) return [build, trouble];
  if (devices.length === 0) return [build, finding('GPU', 'ok', say('no_gpu'))];
  const driver = { driver: host.driver ?? '', cuda: Math.floor(driverVersion / 1000) };
  const gpus = devices.map((device) => gpuFinding(device, driver));
  return [build, ...gpus, ...(devices.some(({ hasCode }) => hasCode) ? [blasFinding(library)] : [])];
}

function withoutCuda({ gpus }: NvidiaHost): Finding {
  const advice = say('build_cuda');
  if (gpus === 0) return finding('CUDA', 'ok', say('no_cuda'), advice);
  return finding('CUDA', 'warn', say('no_cuda_for_gpus', { gpus }), advice);
}

/** Why CUDA sees no GPU though there is one, or sees fewer than there are. */
function driverTrouble(cuda: CudaReport, { driver, gpus }: NvidiaHost): Finding | undefined {
  const major = Number(driver?.split('.')[0]);
  const oldest = oldestDriver;
  if (driver && major < oldest) return warn(say('old_driver', { driver, oldest }), say('update_driver', { oldest }));
  if (!driver && cuda.driverVersion === 0)
    return gpus === 0 ? undefined : warn(say('no_driver', { gpus }), say('install_driver', { oldest }));
  if (cuda.error !== null) return warn(say('cuda_error', { error: cuda.error }), say('ask_driver'));
  if (gpus > 0 && cuda.devices.length === 0) return warn(say('gpus_not_shown', { gpus }), say('show_gpus'));
  return undefined;
}

const warn = (found: Saying, advice: Saying): Finding => finding('GPU', 'warn', found, advice);

function gpuFinding(gpu: CudaReport['devices'][number], driver: { driver: string; cuda: number }): Finding {
  const { name, computeCapability: capability, memoryBytes, hasCode } = gpu;
  const found = { name, memory: formatBytes(memoryBytes), capability, ...driver };
  if (hasCode) return finding('GPU', 'ok', say('gpu', found));
  const [major = 0, minor = 0] = capability.split('.').map(Number);
  if (major < oldestCapability) return warn(say('old_gpu', found), say('use_cpu'));
  const target = `${major}${minor}${major === 9 ? 'a' : ''}-real`;
  return warn(say('gpu_without_code', found), say('build_for', { target }));
}

function blasFinding({ path, version, problem }: NonNullable<CudaReport['library']>): Finding {
  if (problem === null) return finding('cuBLASLt', 'ok', say('library', { version, path }));
  const lines = problem.split('\n').map((line) => line.trim());
  const advice = lines.pop() ?? '';
  return finding('cuBLASLt', 'warn', say('words', { text: lines.join(' ') }), say('words', { text: advice }));
}
