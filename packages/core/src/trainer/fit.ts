/** Whether a run has room: in memory for its plan, on the disk for its checkpoints. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type Device, deviceBytes } from '@anneal/kernels';
import { UserError } from '../errors.ts';
import { formatBytes } from '../formatBytes.ts';
import { freeDisk } from '../freeDisk.ts';
import { gpuHolders } from '../gpuHolders.ts';
import { hostBudget, type MemoryNeed, memoryBudget, outOfHostMemory, outOfMemory } from '../memory.ts';
import type { Estimate } from '../protocol/estimates.ts';
import { interval, type Job } from './job.ts';
import type { Session } from './session.ts';

/** In bytes. */
export interface Fit {
  readonly memory: Room;
  /** Of the host, beside the device's. */
  readonly host: Room;
  readonly disk: Room & {
    /** Where the run will lie. */
    readonly folder: string;
    readonly checkpoint: number;
    /** Most that lie there at a time: those that are kept, the best, and the one that is being written. */
    readonly checkpoints: number;
  };
}

interface Room {
  readonly needed: number;
  readonly available: number;
}

/** Of the run's plan by class, and of the reward models that judge its answers. */
export function memoryOf({ plan, rewardModels }: Pick<Session, 'plan' | 'rewardModels'>): Estimate['memory'] {
  if (rewardModels.length === 0) return { ...plan.memory };
  const others = rewardModels.map(({ plan: { memory } }) => memory);
  const sum = (part: 'total' | 'libraries' | 'driver' | 'host'): number =>
    others.reduce((bytes, memory) => bytes + memory[part], plan.memory[part]);
  return {
    ...plan.memory,
    scoring: sum('total') - plan.memory.total,
    total: sum('total'),
    libraries: sum('libraries'),
    driver: sum('driver'),
    host: sum('host'),
  };
}

/** What a run needs of the memory, and what is free. */
export function memoryFitOf(session: Pick<Session, 'plan' | 'job' | 'rewardModels'>): Pick<Fit, 'memory' | 'host'> {
  const memory = memoryOf(session);
  return {
    memory: { needed: deviceBytes(memory), available: memoryBudget(session.job.device) },
    host: { needed: memory.host, available: hostBudget() },
  };
}

/** What a run needs, by its session, and what there is. @param folder where runs go; need not be there yet */
export function fitOf(session: Session, folder: string): Fit {
  const { plan, job, totalSteps, loader, data } = session;
  const checkpoint = plan.memory.parameters + plan.memory.optimizer + savedOtherwise(session);
  const checkpoints = mostCheckpoints(job, totalSteps, loader.stepsPerEpoch);
  const tokens = statSync(join(data.folder, 'tokens.bin')).size;
  return {
    ...memoryFitOf(session),
    disk: { needed: tokens + checkpoints * checkpoint, available: freeDisk(folder), folder, checkpoint, checkpoints },
  };
}

/** Adapters of PiSSA are saved with what they began as. Adapter files of PEFT have a matrix that is embedding and head under both names, and of an embedding with some trained rows these alone. */
function savedOtherwise({ job, lora, plan, model: { config } }: Session): number {
  if (job.adapter?.options.initialization === 'pissa') return plan.memory.parameters;
  const embedding = 4 * config.vocabSize * config.hiddenSize;
  if (lora?.modules.has('lm_head')) return -embedding - (lora.tokens.length > 0 ? embedding : 0);
  if (lora && lora.tokens.length > 0) return -embedding;
  return config.tieWordEmbeddings && lora?.full.has('embed') ? embedding : 0;
}

/** The memory of a run, in what is said where it is not there. */
export const runNeed: MemoryNeed = {
  what: 'the run',
  next: 'lower sequence_len or micro_batch_size, set activations: offload on a GPU or recompute, or close other programs; `anneal estimate` shows the parts',
};

/** What keeps the run from its end, the memory first; null when it fits. @param device whose memory it would take */
export function misfit({ memory, host, disk }: Fit, device?: Device): UserError | null {
  if (memory.needed > memory.available) {
    const holders = device?.kind === 'cuda' ? gpuHolders(device.busId) : [];
    return outOfMemory(runNeed, memory.needed, memory.available, holders);
  }
  if (host.needed > host.available) return outOfHostMemory(runNeed, host.needed, host.available);
  if (disk.needed > disk.available) {
    return new UserError({
      what: `the run does not fit: its checkpoints take ${formatBytes(disk.needed, 4)} of disk, ${formatBytes(disk.available, 4)} are free`,
      where: disk.folder,
      next: 'free some, set output_dir to another disk, or lower save_total_limit',
      code: 'disk_full',
    });
  }
  return null;
}

function mostCheckpoints({ save, saveLimit }: Job, totalSteps: number, stepsPerEpoch: number): number {
  const saved = Math.ceil(totalSteps / interval(save, stepsPerEpoch)) || 1;
  return Math.min(saved, saveLimit + 2);
}
