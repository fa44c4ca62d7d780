/** The devices of this host: which one is meant, and which numbers it computes with. */
import { type ActivationType, addon, type CpuDevice, cpuDevice, cudaDevices, type Device } from '@anneal/kernels';
import { deviceNamePattern } from './deviceName.ts';
import { UserError } from './errors.ts';

export { type CudaReport, cudaReport, type Device, devices } from '@anneal/kernels'; // for the agent, which does not know the kernels

/**
 * The device of that name; `auto` is the first GPU, or the CPU where there is none.
 * @throws UserError `device_not_found` or `instruction_set_not_found` with the reason and what to do
 */
export function chooseDevice(name = 'auto', { threads }: { threads?: number | undefined } = {}): Device {
  const found = deviceNamePattern.test(name) ? deviceOf(name, threads) : undefined;
  if (found) return found;
  const { devices, reason } = cudaDevices();
  const gpus = devices.map(({ index, name: model }) => `cuda:${index} is ${model}`).join(', ');
  throw new UserError({
    what: `there is no device ${name}${reason ? `: ${reason}` : ''}`,
    next: gpus
      ? `choose one that is there: cpu, ${gpus}`
      : 'use `device: cpu`, or see what `anneal doctor` says about the GPU',
    code: 'device_not_found',
  });
}

function deviceOf(name: string, threads: number | undefined): Device | undefined {
  if (name === 'cpu') return chooseCpu({ threads });
  const { devices } = cudaDevices();
  if (name === 'auto') return devices[0] ?? chooseCpu({ threads });
  const index = Number(name.split(':')[1] ?? devices[0]?.index);
  return devices.find((device) => device.index === index);
}

/**
 * The CPU, with the best instruction set or the one that ANNEAL_ISA names.
 * @throws UserError `instruction_set_not_found`
 */
export function chooseCpu({ threads }: { threads?: number | undefined } = {}): CpuDevice {
  const wanted = process.env['ANNEAL_ISA'];
  const sets = addon().instructionSets();
  if (wanted === undefined || sets.includes(wanted)) return cpuDevice({ threads });
  throw new UserError({
    what: `ANNEAL_ISA is ${wanted}, which this processor does not run`,
    next: `unset it, or set it to one of ${sets.join(', ')}`,
    code: 'instruction_set_not_found',
  });
}

/** Activations are in bfloat16 beside weights in bfloat16 where the device has kernels for it; the CPU keeps them in float32. */
export function activationTypeOn(device: Device, weightType: 'f32' | 'bf16'): ActivationType {
  return device.activationTypes.includes(weightType) ? weightType : 'f32';
}
