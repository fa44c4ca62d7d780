import { availableParallelism } from 'node:os';
import { addon } from './addon.ts';
import type { NativeCudaDevice, NativeCudaDevices, NativeCudaLibrary } from './addonTypes.ts';
import { describeNoDevice } from './noDevice.ts';
import { type ActivationType, activationTypes } from './tensor.ts';

/** What a plan is made for and an engine opened on. */
export type Device = CpuDevice | CudaDevice;

interface DeviceModel {
  /** Types that its kernels take activations in. */
  readonly activationTypes: readonly ActivationType[];
  /** Temporary storage that kernels want for each thread, which a plan leaves room for. */
  readonly scratch: { readonly bytesPerThread: number; readonly threads: number };
  /** Whether products of float32 activations can be formed in bfloat16 (the attribute `bf16`); else the activations themselves are. */
  readonly roundsOperands: boolean;
  /** Rows of logits that exist at one time: enough to keep matrix products efficient, small beside the model. */
  readonly logitRows: number;
  /** What it reaches in good kernels, by which a plan weighs time against memory. */
  readonly rates: DeviceRates;
  /** Wide results exist for so many tokens at a time where a batch has more than twice as many; null where they exist whole always. */
  readonly tileRows: number | null;
  /** What libraries take of the device's memory beside the plan. */
  readonly libraryBytes: number;
  /** Batches are filled up to a multiple of so many tokens, so that few numbers of tokens occur. */
  readonly bucketTokens: number;
  /** Runs go on with the next step while they look at the last one's loss. */
  readonly queuesSteps: boolean;
}

export interface DeviceRates {
  /** Of matrix products, by the type of their operands. */
  readonly flopsPerSecond: Readonly<Record<ActivationType, number>>;
  /** Of memory, read and written. */
  readonly bytesPerSecond: number;
  readonly launchSeconds: number;
  /** Between the device's memory and that of the host, each way; null where they are one. */
  readonly hostBytesPerSecond: number | null;
}

/** Measured on an H100; other GPUs differ in speed more than in the ratio of arithmetic to memory, which is what counts. */
const cudaRates: DeviceRates = {
  flopsPerSecond: { f32: 4e13, bf16: 6.5e14 },
  bytesPerSecond: 2.8e12,
  launchSeconds: 2e-6,
  hostBytesPerSecond: 5e10,
};

/** A current server core with AVX-512 makes about 1e11 float32 operations a second; memory feeds a few of them. */
function cpuRates(threads: number): DeviceRates {
  const flops = 1e11 * threads;
  return {
    flopsPerSecond: { f32: flops, bf16: flops },
    bytesPerSecond: 3e10,
    launchSeconds: 2e-6,
    hostBytesPerSecond: null,
  };
}

export interface CpuDevice extends DeviceModel {
  readonly kind: 'cpu';
  readonly isa: string;
  /** Whether products of bfloat16 take less time than those of float32. */
  readonly multipliesBf16: boolean;
  readonly threads: number;
}

export interface CudaDevice extends DeviceModel {
  readonly kind: 'cuda';
  /** As the driver counts them. */
  readonly index: number;
  readonly name: string;
  /** Of the PCI bus, by which nvidia-smi knows it. */
  readonly busId: string;
  /** As 9.0. */
  readonly computeCapability: string;
  readonly memoryBytes: number;
  /** Launches are recorded as CUDA graphs and repeated. The bits are the same without. */
  readonly graphs: boolean;
}

/** The CPU as a device; `isa` and `threads` are for tests and benchmarks, the best set and all cores otherwise. */
export function cpuDevice({
  isa,
  threads = availableParallelism(),
}: {
  isa?: string | undefined;
  threads?: number | undefined;
} = {}): CpuDevice {
  const { instructionSets, scratchBytesPerThread } = addon();
  const sets = instructionSets();
  const chosen = isa ?? process.env.ANNEAL_ISA ?? sets[0] ?? 'plain';
  if (!sets.includes(chosen)) throw new Error(`this processor does not run ${chosen}: it runs ${sets.join(', ')}`);
  return {
    kind: 'cpu',
    isa: chosen,
    multipliesBf16: multipliesBf16(chosen, sets),
    threads,
    activationTypes: ['f32'],
    roundsOperands: true,
    logitRows: 128,
    scratch: { bytesPerThread: scratchBytesPerThread, threads },
    rates: cpuRates(threads),
    tileRows: null,
    libraryBytes: 0,
    bucketTokens: 1,
    queuesSteps: false, // it would take its turns on the same cores
  };
}

function multipliesBf16(isa: string, sets: readonly string[]): boolean {
  // Where pairs of bf16 take longer than floats, avx512bf16 stands behind avx512.
  if (isa === 'avx512bf16') return sets.indexOf(isa) < sets.indexOf('avx512');
  return isa === 'amx' || isa === 'neonbf16';
}

/** Of a GPU: code that is loaded and launches that are recorded, by measurement with 0.6 to 32 billion weights. */
const driverBaseBytes = 10e6;
/** A page of the host's memory that a GPU reads or writes has an entry in the GPU's tables. */
const hostPage = { bytes: 4096, entryBytes: 8 };

/** What the driver takes of a device's memory for a plan. @param hostBytes page-locked memory of the plan */
export function driverBytes({ kind }: Device, hostBytes: number): number {
  if (kind === 'cpu') return 0;
  return driverBaseBytes + Math.ceil(hostBytes / hostPage.bytes) * hostPage.entryBytes;
}

/** The GPUs that the CUDA backend runs on, and why there is none where there is none. */
export function cudaDevices(): { readonly devices: readonly CudaDevice[]; readonly reason: string | null } {
  const found = addon().cudaDevices();
  const usable = found.devices.filter(({ hasCode }) => hasCode);
  return {
    devices: usable.map(cudaDevice),
    reason: usable.length > 0 ? null : describeNoDevice(found),
  };
}

/** A GPU as plans are made for it; it need not be there. */
export function cudaDevice(found: Omit<NativeCudaDevice, 'hasCode'>): CudaDevice {
  const { index, name, busId, computeCapability, memoryBytes, libraryBytes } = found;
  return {
    kind: 'cuda',
    index,
    name,
    busId,
    computeCapability,
    memoryBytes,
    libraryBytes,
    activationTypes,
    roundsOperands: false,
    logitRows: 512,
    tileRows: 8192, // products of so many rows are as fast as larger ones
    rates: cudaRates,
    scratch: { bytesPerThread: 0, threads: 1 },
    bucketTokens: 128, // rows of a block of most matrix products: they take as long for fewer
    queuesSteps: true,
    graphs: process.env.ANNEAL_CUDA_GRAPHS !== '0',
  };
}

/** What of CUDA this build and this host have, for a person to read. */
export interface CudaReport extends NativeCudaDevices {
  /** Null where this build has no CUDA. */
  readonly library: NativeCudaLibrary | null;
}

export function cudaReport(): CudaReport {
  return { ...addon().cudaDevices(), library: addon().cudaLibrary() };
}

/** As the native boundary takes it. */
export function nativeName(device: Device): string {
  return device.kind === 'cpu' ? `cpu:${device.isa}` : `cuda:${device.index}${device.graphs ? ':graphs' : ''}`;
}

/** Every device of this host, the fastest first. */
export function devices(): Device[] {
  return [...cudaDevices().devices, cpuDevice()];
}
