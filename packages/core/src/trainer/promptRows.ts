import { FORMAT_ROWS, openReaderOf, type RowReader } from '../datasets/formats/index.ts';
import type { PrepareOptions } from '../datasets/prepareData.ts';
import { openSource } from '../datasets/read.ts';
import type { TokenStore } from '../datasets/tokenStore.ts';
import type { Conversation, DataSource } from '../datasets/types.ts';
import { UserError } from '../errors.ts';

/** What stands behind a prompt. */
export interface PromptRow {
  /** Its columns. */
  readonly row: Readonly<Record<string, unknown>>;
  readonly asked: Conversation;
}

interface PromptFile {
  readonly source: DataSource;
  readonly reader: RowReader;
}

/** Rows of prompts by their documents; data files are opened when a row of them is wanted. */
export class PromptRows implements AsyncDisposable {
  readonly #prepare: Pick<PrepareOptions, 'datasets' | 'validationDatasets'>;
  readonly #files = new Map<string, Promise<PromptFile>>();

  constructor(prepare: Pick<PrepareOptions, 'datasets' | 'validationDatasets'>) {
    this.#prepare = prepare;
  }

  async rowOf(store: TokenStore, document: number): Promise<PromptRow> {
    const { file, row } = store.source(document);
    let opened = this.#files.get(file);
    if (!opened) {
      opened = this.#open(file);
      this.#files.set(file, opened);
    }
    const { source, reader } = await opened;
    const [found] = await source.page(row - 1, 1);
    const asked = found ? reader.read(found.value) : null;
    if (!found || asked?.kind !== 'chat') {
      throw new UserError({
        what: `row ${row} holds no prompt any more: the file was changed while it was in use`,
        where: file,
        next: 'put the earlier file back, and resume the run',
        code: 'file_changed',
      });
    }
    return { row: found.value, asked };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await Promise.allSettled(this.#files.values());
    for (const file of opened) if (file.status === 'fulfilled') await file.value.source.close();
  }

  async #open(file: string): Promise<PromptFile> {
    const { datasets, validationDatasets = [] } = this.#prepare;
    const dataset = [...datasets, ...validationDatasets].find(({ files }) => files.includes(file));
    if (!dataset) throw new Error(`no data set has the file ${file}`);
    const source = await openSource(file);
    try {
      const sample = await source.page(0, FORMAT_ROWS);
      return { source, reader: openReaderOf(sample, 'sampled', dataset.type, dataset.fields, file) as RowReader };
    } catch (error) {
      await source.close();
      throw error;
    }
  }
}
