/** The thread that builds steps ahead: reads the token store, answers each request with the step asked for. */
import { parentPort, workerData } from 'node:worker_threads';
import { planSteps, type StepOptions } from './steps.ts';
import { openTokenStore, type StoreName } from './tokenStore.ts';
import type { StepBatches } from './types.ts';

export interface WorkerData {
  readonly folder: string;
  readonly name: StoreName;
  readonly options: StepOptions;
}
export interface LoaderRequest {
  readonly id: number;
  readonly epoch: number;
  readonly index: number;
}
export type LoaderReply =
  | { readonly id: number; readonly step: StepBatches }
  | { readonly id: number; readonly error: Error };

const port = parentPort;
if (port === null) throw new Error('loaderWorker.ts runs only as a worker thread');
const { folder, name, options } = workerData as WorkerData;
const steps = planSteps(openTokenStore(folder, name), options);

port.on('message', ({ id, epoch, index }: LoaderRequest) => {
  try {
    const step = steps.build(epoch, index);
    const buffers = [...step.batches, ...step.divergence].flatMap(({ tokens, labels, positions, cuSeqlens }) => [
      tokens.buffer as ArrayBuffer,
      labels.buffer as ArrayBuffer,
      positions.buffer as ArrayBuffer,
      cuSeqlens.buffer as ArrayBuffer,
    ]);
    port.postMessage({ id, step } satisfies LoaderReply, buffers);
  } catch (error) {
    port.postMessage({ id, error: error as Error } satisfies LoaderReply);
  }
});
