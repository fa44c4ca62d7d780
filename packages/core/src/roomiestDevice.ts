/** The device for work that may be anywhere: to talk to a model, to compare what was exported. */
import { cudaDevices, type Device } from '@anneal/kernels';
import { askNvidiaSmi } from './askNvidiaSmi.ts';
import { chooseDevice } from './device.ts';

/** The GPU with the most memory free; the first where nobody tells, as with `chooseDevice`. @throws UserError `instruction_set_not_found` */
export function roomiestDevice(): Device {
  const { devices } = cudaDevices();
  return devices.length < 2 ? chooseDevice() : withMostRoom(devices, askFreeMemory());
}

/** @param free MiB by place on the PCI bus */
export function withMostRoom<Gpu extends { busId: string }>(
  gpus: readonly Gpu[],
  free: ReadonlyMap<string, number>,
): Gpu {
  return gpus.reduce((best, gpu) => ((free.get(gpu.busId) ?? 0) > (free.get(best.busId) ?? 0) ? gpu : best));
}

/** Of nvidia-smi: the driver would first make a context of this process on each GPU, which takes some of their memory. */
function askFreeMemory(): Map<string, number> {
  // Where it does not tell, the first is as good as any other.
  return parseFreeMemory(askNvidiaSmi('--query-gpu=pci.bus_id,memory.free') ?? '');
}

/** Lines of `busId, MiB`. A driver that may not tell says `[N/A]`. */
export function parseFreeMemory(lines: string): Map<string, number> {
  return new Map(
    lines.split('\n').flatMap((line) => {
      const [, busId, free] = /^\s*(\S+),\s*(\d+)\s*$/.exec(line) ?? [];
      return busId === undefined ? [] : [[busId, Number(free)] as const];
    }),
  );
}
