/** The devices of this machine, each by the one name under which runs wait for it. */

import { cpus } from 'node:os';
import { chooseDevice, type Device, devices } from '@anneal/core/device';
import { UserError } from '@anneal/core/errors';
import type { HostDevice } from '@anneal/core/protocol/host';
import type { SeenGpu } from './nvidiaSmi.ts';

/** They stay while a process lives. */
let opened: readonly Device[] | undefined;
const chosen = new Map<string, string>();

function all(): readonly Device[] {
  opened ??= devices();
  return opened;
}

/** The fastest first. */
export function hostDevices(): readonly HostDevice[] {
  return all().map((device) => ({ name: nameOf(device), title: titleOf(device) }));
}

/** Those that CUDA sees. */
export function seenGpus(): SeenGpu[] {
  return all().flatMap((device) =>
    device.kind === 'cuda' ? [{ name: nameOf(device), title: device.name, busId: device.busId }] : [],
  );
}

/** @param wanted `device` of a recipe @throws UserError `device_not_found` */
export function deviceOfRun(wanted: string): string {
  const name = chosen.get(wanted) ?? nameOf(chooseDevice(wanted));
  chosen.set(wanted, name);
  return name;
}

/**
 * As `deviceOfRun`, of a run that trains: one whose recipe names a device that is gone, or cannot be read, is on that.
 * @param busId of its GPU, where it has said so: a run that was shown other GPUs (CUDA_VISIBLE_DEVICES) calls it otherwise than we do
 */
export function deviceOfLiveRun(wanted: string | null, busId: string | null = null): string {
  if (busId !== null) return seenGpus().find((gpu) => gpu.busId === busId)?.name ?? `GPU ${busId}`;
  try {
    return deviceOfRun(wanted ?? 'auto');
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return wanted ?? 'auto';
  }
}

function nameOf(device: Device): string {
  return device.kind === 'cpu' ? 'cpu' : `cuda:${device.index}`;
}

function titleOf(device: Device): string {
  if (device.kind === 'cuda') return device.name;
  const [first] = cpus();
  // Linux names no model on ARM.
  return first && first.model !== 'unknown' ? first.model.trim() : process.arch;
}
