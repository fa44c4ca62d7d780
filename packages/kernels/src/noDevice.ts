import type { NativeCudaDevices } from './addonTypes.ts';

/** The oldest compute capability that kernels are written for: Ampere. */
const oldest = 8;

/** Why no GPU can be used, and what to do. */
export function describeNoDevice({ devices, driverVersion, runtimeVersion, error }: NativeCudaDevices): string {
  if (runtimeVersion === 0) return 'this build has no CUDA backend: it was built where nvcc was not found';
  if (driverVersion === 0) return 'there is no NVIDIA driver: install 580 or newer';
  if (Math.floor(driverVersion / 1000) < Math.floor(runtimeVersion / 1000)) {
    return `the NVIDIA driver is too old: it is for CUDA ${versionText(driverVersion)}, this build needs ${versionText(runtimeVersion)}: install 580 or newer`;
  }
  if (error !== null) return `CUDA: ${error}`;
  if (devices.length === 0) return 'there is no NVIDIA GPU, or CUDA_VISIBLE_DEVICES hides it';
  return devices.map(({ name, computeCapability }) => describeNoCode(name, computeCapability)).join('; ');
}

function describeNoCode(name: string, computeCapability: string): string {
  if (Number(computeCapability.split('.')[0]) < oldest) {
    return `${name} is too old: its compute capability is ${computeCapability}, ${oldest}.0 is needed`;
  }
  // Kernels for Hopper use what only code for exactly it may.
  const architecture = `${computeCapability.replace('.', '')}${computeCapability === '9.0' ? 'a' : ''}-real`;
  return `${name} has compute capability ${computeCapability}, for which this build has no code: build with ANNEAL_CUDA_ARCHITECTURES=${architecture}`;
}

function versionText(version: number): string {
  return `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;
}
