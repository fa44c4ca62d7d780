/** What the machine is doing. */

import { statfs } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { hostMemory } from '@anneal/core/hostMemory';
import type { HostSample } from '@anneal/core/protocol/host';
import { seenGpus } from './devices.ts';
import { sampleGpus } from './nvidiaSmi.ts';

/** Milliseconds of all cores together, since the machine was started. */
export interface CoreTimes {
  busy: number;
  total: number;
}

export function coreTimes(): CoreTimes {
  let busy = 0;
  let total = 0;
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.irq + times.idle;
    total += all;
    busy += all - times.idle;
  }
  return { busy, total };
}

/** @param since when the share of the cores that is busy is measured from @param folder whose disk is meant */
export async function sampleHost(folder: string, since: CoreTimes): Promise<HostSample> {
  const now = coreTimes();
  const memory = hostMemory();
  const [disk, gpus] = await Promise.all([statfs(folder), sampleGpus(seenGpus())]);
  return {
    time: new Date().toISOString(),
    cpu: {
      threads: availableParallelism(),
      busy: now.total > since.total ? (now.busy - since.busy) / (now.total - since.total) : 0,
      load: loadavg()[0] ?? 0,
    },
    memory: { total: memory.total, available: memory.available },
    disk: { folder, total: disk.blocks * disk.bsize, free: disk.bavail * disk.bsize },
    gpus: gpus ?? null,
  };
}
