import { type InspectedFile, openInspectedFile, type RowText } from '@anneal/core/datasets/inspect';
import type { DatasetInput } from '@anneal/core/datasets/prepareData';
import type { ModelText } from '@anneal/core/generate/modelText';
import type { InspectedRow, RowRange } from '@anneal/core/protocol/data';
import type { DataOptions } from '@anneal/core/trainer/dataOptions';

/** Rows processed together: enough to feed the tokenizer's threads. */
const pageRows = 256;

/** Rows of one file. */
export interface RowPart {
  file: InspectedFile;
  /** In the file, from 0. */
  offset: number;
  limit: number;
  /** Of the first of them over all files, from 1. */
  number: number;
}

interface OpenFile {
  file: Promise<InspectedFile>;
  users: number;
}

/** Files that are kept open at a time. */
const mostOpen = 32;

/** The rows of all files of all data sets in their order, the validation data last. A file is opened when its turn comes. */
export class InspectedRows {
  readonly files: readonly { path: string; dataset: DatasetInput; isValidation: boolean }[];
  readonly #options: Parameters<typeof openInspectedFile>[2];
  readonly #counts: number[] = [];
  /** By their numbers, in the order in which they were last used. */
  readonly #open = new Map<number, OpenFile>();

  constructor({ prepare }: DataOptions, { tokenizer, renderer }: ModelText) {
    const { datasets, validationDatasets = [], answers = null, sequenceLen, excessLength } = prepare;
    this.#options = { answers, tokenizer, renderer, sequenceLen, excessLength };
    this.files = [...filesOf(datasets, false), ...filesOf(validationDatasets, true)];
  }

  /** Rows `first` to `last`, counted from 1, file by file. A part may be used until the next is asked for. */
  async *parts(first: number, last: number): AsyncGenerator<RowPart, void> {
    let before = 0;
    for (let index = 0; index < this.files.length && before < last; index++) {
      const count = this.#counts[index] ?? (await this.use(index, async ({ rowCount }) => rowCount));
      const offset = Math.max(0, first - 1 - before);
      const end = Math.min(count, last - before);
      const number = before + offset + 1;
      before += count;
      if (offset >= end) continue;
      const open = this.#take(index);
      try {
        yield { file: await open.file, offset, limit: end - offset, number };
      } finally {
        this.#release(open);
      }
    }
  }

  /** @param index of the file */
  async use<T>(index: number, work: (file: InspectedFile) => Promise<T>): Promise<T> {
    const open = this.#take(index);
    try {
      return await work(await open.file);
    } finally {
      this.#release(open);
    }
  }

  /** @param text another tokenizer and template than those of the data */
  async *range({ first, last }: RowRange, text?: RowText): AsyncGenerator<InspectedRow, void> {
    for await (const { file, offset, limit } of this.parts(first, last)) {
      for (let done = 0; done < limit; done += pageRows) {
        yield* await file.page(offset + done, Math.min(pageRows, limit - done), text);
      }
    }
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(all.map(closeFile));
  }

  #take(index: number): OpenFile {
    const known = this.#open.get(index);
    const open = known ?? { file: this.#openFile(index), users: 0 };
    this.#open.delete(index);
    this.#open.set(index, open);
    open.users++;
    return open;
  }

  async #openFile(index: number): Promise<InspectedFile> {
    const { path, dataset } = this.files[index] as (typeof this.files)[number];
    try {
      const file = await openInspectedFile(path, dataset, this.#options);
      this.#counts[index] = file.rowCount;
      return file;
    } catch (error) {
      this.#open.delete(index);
      throw error;
    }
  }

  #release(open: OpenFile): void {
    open.users--;
    for (const [index, other] of this.#open) {
      if (this.#open.size <= mostOpen) return;
      if (other.users > 0) continue;
      this.#open.delete(index);
      void closeFile(other);
    }
  }
}

function filesOf(datasets: readonly DatasetInput[], isValidation: boolean): InspectedRows['files'] {
  return datasets.flatMap((dataset) => dataset.files.map((path) => ({ path, dataset, isValidation })));
}

async function closeFile({ file }: OpenFile): Promise<void> {
  const opened = await file.catch(() => undefined); // told to who asked for it
  await opened?.close();
}
