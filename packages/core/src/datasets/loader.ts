import { Worker } from 'node:worker_threads';
import { refuseThreadWithoutRoom } from '../hostMemory.ts';
import type { LoaderReply, LoaderRequest, WorkerData } from './loaderWorker.ts';
import { planSteps, type StepOptions, type Steps } from './steps.ts';
import { openTokenStore, type StoreName, type TokenStore } from './tokenStore.ts';
import type { StepBatches } from './types.ts';

/** Where the next step comes from. Saved in a checkpoint, it restores the loader exactly. */
export interface LoaderState {
  readonly epoch: number;
  readonly index: number;
}

/** An endless sequence of steps, epoch after epoch. */
export interface Loader {
  readonly stepsPerEpoch: number;
  readonly maxTokens: number;
  readonly packingEfficiency: number;
  /** The next step. One call at a time. */
  next(): Promise<StepBatches>;
  /** Position of the step that `next` will give. */
  state(): LoaderState;
  restore(state: LoaderState): void;
  close(): Promise<void>;
}

/** Steps built ahead while the engine works on one. */
const QUEUE = 4;

/** Builds every step when it is asked for. The store stays the caller's. */
export function loaderOf(store: TokenStore, options: StepOptions): Loader {
  const steps = planSteps(store, options);
  return new StepLoader(
    steps,
    async (position) => steps.build(position.epoch, position.index),
    async () => undefined,
  );
}

/**
 * Opens the documents prepared in `folder` and builds steps ahead in a worker thread (`worker: false`: in this one; the steps are the same).
 * @throws UserError when the folder is damaged
 */
export function openLoader(folder: string, name: StoreName, options: StepOptions, { worker = true } = {}): Loader {
  const store = openTokenStore(folder, name);
  const steps = planSteps(store, options);
  if (!worker) {
    return new StepLoader(
      steps,
      async (position) => steps.build(position.epoch, position.index),
      async () => store.close(),
    );
  }
  store.close();
  const prefetcher = new Prefetcher(steps.stepsPerEpoch, { folder, name, options });
  return new StepLoader(
    steps,
    (position) => prefetcher.get(position),
    () => prefetcher.close(),
  );
}

class StepLoader implements Loader {
  readonly stepsPerEpoch: number;
  readonly maxTokens: number;
  readonly packingEfficiency: number;
  readonly #get: (position: LoaderState) => Promise<StepBatches>;
  readonly close: () => Promise<void>;
  #position: LoaderState = { epoch: 0, index: 0 };

  constructor(steps: Steps, get: (position: LoaderState) => Promise<StepBatches>, close: () => Promise<void>) {
    this.stepsPerEpoch = steps.stepsPerEpoch;
    this.maxTokens = steps.maxTokens;
    this.packingEfficiency = steps.packingEfficiency;
    this.#get = get;
    this.close = close;
  }

  async next(): Promise<StepBatches> {
    if (this.stepsPerEpoch === 0) throw new Error('there are no documents to load');
    const step = await this.#get(this.#position);
    this.#position = following(this.#position, this.stepsPerEpoch);
    return step;
  }

  state(): LoaderState {
    return this.#position;
  }

  restore({ epoch, index }: LoaderState): void {
    if (
      !(Number.isInteger(epoch) && epoch >= 0 && Number.isInteger(index) && index >= 0 && index < this.stepsPerEpoch)
    ) {
      throw new RangeError(`no step ${index} of epoch ${epoch} in a loader of ${this.stepsPerEpoch} steps`);
    }
    this.#position = { epoch, index };
  }
}

function following({ epoch, index }: LoaderState, stepsPerEpoch: number): LoaderState {
  return index + 1 < stepsPerEpoch ? { epoch, index: index + 1 } : { epoch: epoch + 1, index: 0 };
}

/** Asks a worker for the steps that come next, at most `QUEUE` at a time. A jump throws the queue away. */
class Prefetcher {
  readonly #stepsPerEpoch: number;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (step: StepBatches) => void; reject: (error: Error) => void }>();
  #queue: { position: LoaderState; step: Promise<StepBatches> }[] = [];
  #failure: Error | undefined;
  #nextId = 0;

  constructor(stepsPerEpoch: number, workerData: WorkerData) {
    this.#stepsPerEpoch = stepsPerEpoch;
    refuseThreadWithoutRoom();
    // A bundle has JavaScript in the place of TypeScript.
    const file = import.meta.url.endsWith('.ts') ? './loaderWorker.ts' : './loaderWorker.js';
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData });
    this.#worker.unref();
    this.#worker.on('message', (reply: LoaderReply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ('step' in reply) waiting?.resolve(reply.step);
      else waiting?.reject(reply.error);
    });
    this.#worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on('exit', (code) => this.#fail(new Error(`the data loader's worker ended with code ${code}`)));
  }

  async get(position: LoaderState): Promise<StepBatches> {
    if (this.#failure !== undefined) throw this.#failure;
    const head = this.#queue[0];
    if (head?.position.epoch !== position.epoch || head.position.index !== position.index) this.#queue = [];
    let next = position;
    if (this.#queue.length > 0)
      next = following((this.#queue.at(-1) as { position: LoaderState }).position, this.#stepsPerEpoch);
    while (this.#queue.length < QUEUE) {
      this.#queue.push({ position: next, step: this.#request(next) });
      next = following(next, this.#stepsPerEpoch);
    }
    const { step } = this.#queue.shift() as { step: Promise<StepBatches> };
    // Waiting keeps the process alive; an idle loader does not.
    this.#worker.ref();
    try {
      return await step;
    } finally {
      this.#worker.unref();
    }
  }

  async close(): Promise<void> {
    this.#fail(new Error('the data loader is closed'));
    await this.#worker.terminate();
  }

  #request(position: LoaderState): Promise<StepBatches> {
    const id = this.#nextId++;
    const step = new Promise<StepBatches>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    // Whoever awaits a failed step learns of it; one that is never asked for must not end the process.
    step.catch(() => undefined);
    this.#worker.postMessage({ id, ...position } satisfies LoaderRequest, []);
    return step;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
  }
}
