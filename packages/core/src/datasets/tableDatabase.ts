import { ForeignProcess, processBeside } from '../foreignProcess.ts';
import type { TableRequest } from './tableProcess.ts';

/** It takes a good part of a second to start one: the next table, if it comes soon, has the process of the last. */
const IDLE_MILLISECONDS = 10_000;
let idle: ForeignProcess | undefined;

/** A database for one table, in another process. What DuckDB refuses, or does not survive, is an Error with its message. */
export class TableDatabase {
  readonly #process: ForeignProcess;
  #isClosed = false;

  private constructor(process: ForeignProcess) {
    this.#process = process;
  }

  /** @param bytes size of the file that it is to read */
  static async open(bytes: number): Promise<TableDatabase> {
    const process = idle?.isRunning ? idle : start();
    idle = undefined;
    try {
      await process.ask({ kind: 'open', threads: threadsFor(bytes) } satisfies TableRequest);
      return new TableDatabase(process);
    } catch (error) {
      process.end();
      throw error;
    }
  }

  ask(request: TableRequest): Promise<unknown> {
    return this.#process.ask(request);
  }

  /** What is still asked then fails. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const process = this.#process;
    if (idle !== undefined || process.isBusy || !process.isRunning) return process.end();
    idle = process;
    const forget = (): void => {
      if (idle !== process) return;
      idle = undefined;
      process.end();
    };
    setTimeout(forget, IDLE_MILLISECONDS).unref();
  }
}

/**
 * Of a small file, threads that wait for work take half of the time. Each has buffers of its own: with 16 of them the limit of memory
 * ends a large CSV early.
 */
const threadsFor = (bytes: number): number => (bytes < 8 << 20 ? 1 : 4);

const start = (): ForeignProcess =>
  new ForeignProcess(processBeside(import.meta.url, 'tableProcess'), {
    refused: (message) => new Error(message),
    failed: (reason) => new Error(`DuckDB failed on it: ${reason}`),
  });
