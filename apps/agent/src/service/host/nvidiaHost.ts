import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What Linux says of NVIDIA's hardware, whether or not CUDA can be used. */
export interface NvidiaHost {
  /** Of the loaded kernel module, as 580.95.05. */
  readonly driver: string | undefined;
  /** Graphics and compute cards on the PCI bus. */
  readonly gpus: number;
}

/** @param root the root of the file system, for tests */
export function nvidiaHost(root = '/'): NvidiaHost {
  return {
    driver: loadedDriver(join(root, 'proc/driver/nvidia/version')),
    gpus: cards(join(root, 'sys/bus/pci/devices')),
  };
}

function loadedDriver(path: string): string | undefined {
  return existsSync(path)
    ? /Kernel Module\D* (?:for \S+ +)?(\d+(?:\.\d+)+)/.exec(readFileSync(path, 'utf8'))?.[1]
    : undefined;
}

function cards(folder: string): number {
  if (!existsSync(folder)) return 0;
  const is = (device: string, file: string, pattern: RegExp) => {
    const path = join(folder, device, file);
    return existsSync(path) && pattern.test(readFileSync(path, 'utf8'));
  };
  // Display controllers are of class 3.
  return readdirSync(folder).filter((device) => is(device, 'vendor', /^0x10de/) && is(device, 'class', /^0x03/)).length;
}
