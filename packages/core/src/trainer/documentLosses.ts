/**
 * `losses.bin` of a run: the mean loss of each document in each epoch, before the step that it was in changed the weights. Float32,
 * little-endian, at epoch · documents + document; NaN where it was not trained, infinity where the loss was not finite. Whoever
 * repeats a step writes the same bits to the same places.
 */
import { closeSync, constants, fdatasyncSync, fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Batch, StepBatches } from '../datasets/types.ts';
import { asDiskError } from './diskError.ts';
import { kindOf, openRunFile } from './runFiles.ts';

const lossesName = 'losses.bin';

/** Documents that get their place in the file together. */
const pieceDocuments = 1 << 18;

/** Written by the process that trains. */
export class DocumentLosses implements Disposable {
  readonly #path: string;
  readonly #file: number;
  readonly #documents: number;
  /** Documents, over all epochs, that have a place in the file. */
  #places: number;

  /**
   * What is there of later epochs is given up: it comes again, or was never ours.
   * @param documents of an epoch
   * @param epoch that the run goes on with
   * @throws UserError `run_entry_foreign`, `run_not_readable`
   */
  constructor(run: string, documents: number, epoch: number) {
    this.#path = join(run, lossesName);
    this.#file = openRunFile(this.#path, constants.O_RDWR | constants.O_CREAT);
    this.#documents = documents;
    this.#places = Math.min((epoch + 1) * documents, Math.floor(fstatSync(this.#file).size / 4));
    ftruncateSync(this.#file, 4 * this.#places);
  }

  /** @param tokenLosses of each batch of the step, as `StepResult` has them @throws UserError `disk_full` */
  record({ batches, epoch }: StepBatches, tokenLosses: readonly Float64Array[]): void {
    try {
      this.#makePlaces((epoch + 1) * this.#documents);
      for (const [i, batch] of batches.entries()) {
        for (const { document, loss } of documentLosses(batch, tokenLosses[i] as Float64Array)) {
          const value = Number.isFinite(loss) ? loss : Number.POSITIVE_INFINITY;
          writeSync(this.#file, bytesOf(value), 0, 4, 4 * (epoch * this.#documents + document));
        }
      }
    } catch (error) {
      throw asDiskError(error, this.#path);
    }
  }

  /** What was recorded is on the disk when this returns. */
  sync(): void {
    fdatasyncSync(this.#file);
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  #makePlaces(wanted: number): void {
    const empty = Buffer.alloc(4 * Math.min(pieceDocuments, Math.max(0, wanted - this.#places)), bytesOf(Number.NaN));
    while (this.#places < wanted) {
      const bytes = 4 * Math.min(pieceDocuments, wanted - this.#places);
      this.#places += Math.floor(writeSync(this.#file, empty, 0, bytes, 4 * this.#places) / 4);
    }
  }
}

/** Of each document with target tokens the mean loss over them. @param losses of the batch's target tokens, in their order */
export function documentLosses(
  { labels, cuSeqlens, documents }: Batch,
  losses: Float64Array,
): { document: number; loss: number }[] {
  let next = 0;
  return documents.flatMap((document, i) => {
    const first = next;
    let sum = 0;
    for (let t = cuSeqlens[i] as number; t < (cuSeqlens[i + 1] as number); t++) {
      if ((labels[t] as number) >= 0) sum += losses[next++] as number;
    }
    return next > first ? [{ document, loss: sum / (next - first) }] : [];
  });
}

/**
 * Of these documents of one epoch: null where the loss was not finite, undefined where none is recorded.
 * @param count documents of an epoch
 * @throws UserError `run_entry_foreign`, `run_not_readable`
 */
export function readDocumentLosses(
  run: string,
  { count, epoch, documents }: { count: number; epoch: number; documents: readonly number[] },
): (number | null | undefined)[] {
  const path = join(run, lossesName);
  if (kindOf(path) === undefined) return documents.map(() => undefined);
  const file = openRunFile(path);
  try {
    return documents.map((document) => {
      const bytes = Buffer.alloc(4);
      const read = readSync(file, bytes, 0, 4, 4 * (epoch * count + document));
      const loss = read === 4 ? bytes.readFloatLE() : Number.NaN;
      if (Number.isNaN(loss)) return undefined;
      return Number.isFinite(loss) ? loss : null;
    });
  } finally {
    closeSync(file);
  }
}

function bytesOf(loss: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(loss);
  return bytes;
}
