import { cpus } from 'node:os';
import type { Device } from '@anneal/kernels';
import type { Environment } from '../protocol/events.ts';

/** What a launch on this device computes with. */
export function environmentOf(device: Device, version: string): Environment {
  if (device.kind === 'cuda') {
    const { index, busId, name, computeCapability } = device;
    return {
      version,
      device: `cuda:${index}`,
      busId,
      processor: name,
      instructionSet: computeCapability,
      threads: null,
    };
  }
  const processor = cpus()[0]?.model.trim() || process.arch;
  return { version, device: 'cpu', processor, instructionSet: device.isa, threads: device.threads };
}
