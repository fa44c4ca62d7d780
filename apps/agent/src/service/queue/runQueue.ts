/**
 * The queue of an agent: a file in its folder, which the command line changes as well. What is in it says only what is to
 * be started; whether a run has begun stands in the run.
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { type Queue, type QueuedRun, queueSchema, type RefusedRun } from '@anneal/core/protocol/queue';
import { replaceFile } from '@anneal/formats/files/atomicWrite';
import { underLock } from '../underLock.ts';
import { withRun, withRunAt, withRunOn } from './order.ts';

/** A refusal is shown with its run; of more than so many the oldest are forgotten. */
const mostRefused = 100;

const empty: Queue = { version: 1, concurrency: {}, waiting: [], refused: [] };

export class RunQueue {
  readonly #path: string;
  #seen: { stamp: string; queue: Queue } | undefined;

  /** @param folder of the agent's own state */
  constructor(folder: string) {
    this.#path = join(folder, 'queue.json');
  }

  /** As it is now; the same object until it changes. @throws UserError `queue_damaged` */
  read(): Queue {
    const stamp = this.#stamp();
    if (this.#seen?.stamp !== stamp) this.#seen = { stamp, queue: stamp === '' ? empty : this.#parse() };
    return this.#seen.queue;
  }

  /** Adds a run behind those of its priority. What an earlier attempt was refused for is forgotten. */
  add(entry: QueuedRun): Promise<Queue> {
    return this.#change((queue) => ({
      ...queue,
      waiting: withRun(queue.waiting, entry),
      refused: queue.refused.filter(({ run }) => run !== entry.run),
    }));
  }

  /**
   * @param place from 1, among the runs that wait for the same device
   * @param begun runs that are in the file still, and wait no more
   * @throws UserError `run_not_queued`
   */
  move(run: string, place: number, begun?: ReadonlySet<string>): Promise<Queue> {
    return this.#change((queue) => {
      entryOf(queue, run);
      return { ...queue, waiting: withRunAt(queue.waiting, run, place, begun) };
    });
  }

  /**
   * Lets a run wait for another device.
   * @param on what its entry, as it is now, becomes; nothing changes where it throws
   * @throws UserError `run_not_queued`
   */
  assign(run: string, on: (entry: QueuedRun) => Pick<QueuedRun, 'device' | 'changes'>): Promise<Queue> {
    return this.#change((queue) => ({
      ...queue,
      waiting: withRunOn(queue.waiting, run, on(entryOf(queue, run))),
    }));
  }

  /**
   * The run stays as it is and can be started again.
   * @param check throws where the entry, as it is now, is to stay
   * @throws UserError `run_not_queued`
   */
  remove(run: string, check: (entry: QueuedRun) => void = () => {}): Promise<Queue> {
    return this.#change((queue) => {
      check(entryOf(queue, run));
      return { ...queue, waiting: queue.waiting.filter((entry) => entry.run !== run) };
    });
  }

  setConcurrency(device: string, runs: number): Promise<Queue> {
    return this.#change((queue) => ({ ...queue, concurrency: { ...queue.concurrency, [device]: runs } }));
  }

  /** Takes out what has begun, and what cannot begin. An entry that was queued anew since stays. */
  settle(begun: readonly QueuedRun[], refused: readonly RefusedRun[]): Promise<Queue> {
    const gone = new Set([...begun, ...refused].map(({ run, afterSeq }) => `${afterSeq} ${run}`));
    return this.#change((queue) => ({
      ...queue,
      waiting: queue.waiting.filter(({ run, afterSeq }) => !gone.has(`${afterSeq} ${run}`)),
      refused: [...queue.refused, ...refused].slice(-mostRefused),
    }));
  }

  async #change(change: (queue: Queue) => Queue): Promise<Queue> {
    return underLock(this.#path, () => {
      const queue = change(this.read());
      replaceFile(this.#path, `${JSON.stringify(queue, null, 2)}\n`, { sync: true });
      return queue;
    });
  }

  /** Of a version of the file, which is never changed in place; empty where there is none. */
  #stamp(): string {
    const status = statSync(this.#path, { throwIfNoEntry: false, bigint: true });
    return status ? `${status.ino} ${status.mtimeNs} ${status.size}` : '';
  }

  #parse(): Queue {
    const queue = queueSchema.safeParse(jsonOf(readFileSync(this.#path, 'utf8')));
    if (queue.success) return queue.data;
    throw new UserError({
      what: 'the queue is damaged, or of a newer version',
      where: this.#path,
      next: 'move the file away: no run is lost with it, and each that waited can be resumed',
      code: 'queue_damaged',
    });
  }
}

function entryOf({ waiting }: Queue, run: string): QueuedRun {
  const entry = waiting.find((other) => other.run === run);
  if (!entry) throw notWaiting(run);
  return entry;
}

export function notWaiting(run: string): UserError {
  return new UserError({
    what: 'this run does not wait: it has begun, or was taken out of the queue',
    where: run,
    next: 'see what waits with `anneal queue ls`',
    code: 'run_not_queued',
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
