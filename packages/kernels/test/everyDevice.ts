import { addon } from '../src/addon.ts';
import { cpuDevice, cudaDevices, type Device, nativeName } from '../src/device.ts';

/** The GPUs of this host, and its processor with each instruction set that it runs, on one thread: as `test.each` takes them. */
export const everyDevice: readonly { readonly name: string; readonly device: Device }[] = [
  ...cudaDevices().devices,
  ...addon()
    .instructionSets()
    .map((isa) => cpuDevice({ isa, threads: 1 })),
].map((device) => ({ name: nativeName(device), device }));

/** Other ways to run the same work on the device: with more threads, with launches that are not recorded. */
export function waysToRun(device: Device): Device[] {
  return device.kind === 'cpu'
    ? [2, 3].map((threads) => cpuDevice({ isa: device.isa, threads }))
    : [{ ...device, graphs: !device.graphs }];
}
