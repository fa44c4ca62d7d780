/** The verdicts on all rows of a data set, found in the background and kept as long as it is open. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { prepareData } from '@anneal/core/datasets/prepareData';
import { RowTable } from '@anneal/core/datasets/rowTable';
import { ROWS_FILE } from '@anneal/core/datasets/storeManifest';
import { UserError } from '@anneal/core/errors';
import type { ModelText } from '@anneal/core/generate/modelText';
import { preparedDataFolder } from '@anneal/core/hub/cache';
import type { JudgingState } from '@anneal/core/protocol/dataView';
import type { RowFilter } from '@anneal/core/protocol/rowVerdicts';
import type { DataOptions } from '@anneal/core/trainer/dataOptions';
import { makeTemporaryFolder } from '@anneal/formats/files/temporaryFolder';

/** Between two changes that are told. */
const spacingMilliseconds = 200;

export class Judging {
  readonly #data: DataOptions;
  readonly #text: ModelText;
  readonly #rows: number;
  #state: JudgingState['state'] = 'none';
  #error: JudgingState['error'] = null;
  #given = new AbortController();
  #table = new RowTable();
  #counts = new Map<RowFilter, number>();
  #told = 0;
  #ended: Promise<void> = Promise.resolve();

  readonly #onChange: () => void;

  /** @param rows of all files */
  constructor(data: DataOptions, text: ModelText, rows: number, onChange: () => void) {
    this.#data = data;
    this.#text = text;
    this.#rows = rows;
    this.#onChange = onChange;
  }

  /** Of the rows that are judged so far. */
  get table(): RowTable {
    return this.#table;
  }

  get state(): JudgingState {
    return {
      state: this.#state,
      judged: this.#table.count,
      counts: Object.fromEntries(this.#counts),
      error: this.#error,
    };
  }

  /** Begins, from the first row on, unless it goes on already or is done. */
  start(): void {
    if (this.#state === 'working' || this.#state === 'done') return;
    this.#state = 'working';
    this.#error = null;
    this.#table = new RowTable();
    this.#counts.clear();
    this.#given = new AbortController();
    this.#ended = this.#work(this.#given.signal);
    this.#tell();
  }

  /** Resolves when it reads no more. */
  stop(): Promise<void> {
    this.#given.abort();
    return this.#ended;
  }

  async #work(signal: AbortSignal): Promise<void> {
    const folder = makeTemporaryFolder('judge');
    try {
      await this.#prepare(folder, signal);
      this.#state = 'done';
    } catch (error) {
      if (signal.aborted) this.#state = 'stopped';
      else if (error instanceof UserError) {
        // All rows are judged where nothing of them would be left to train.
        this.#state = this.#table.count === this.#rows ? 'done' : 'failed';
        this.#error = error.toJSON();
      } else throw error;
    } finally {
      await rm(folder, { recursive: true, force: true });
      this.#tell();
    }
  }

  async #prepare(folder: string, signal: AbortSignal): Promise<void> {
    const { prepare } = this.#data;
    const { tokenizer, renderer } = this.#text;
    const prepared = await prepareData({
      ...prepare,
      // What `raise` refuses is among the verdicts.
      excessLength: prepare.excessLength === 'raise' ? 'drop' : prepare.excessLength,
      folder,
      cache: preparedDataFolder(),
      tokenizer,
      renderer,
      signal,
      onRows: (rows) => {
        for (const row of rows) {
          this.#table.append(row);
          this.#count(this.#table.count - 1);
        }
        if (performance.now() - this.#told > spacingMilliseconds) this.#tell();
      },
    });
    prepared.train.close();
    prepared.validation?.close();
    if (!prepared.reused) return;
    this.#table = RowTable.read(join(folder, ROWS_FILE));
    for (let row = 0; row < this.#table.count; row++) this.#count(row);
  }

  #count(row: number): void {
    const add = (filter: RowFilter) => this.#counts.set(filter, (this.#counts.get(filter) ?? 0) + 1);
    add(this.#table.verdict(row));
    if (this.#table.leavesOut(row)) add('left_out');
    if (this.#table.isProblem(row)) add('problem');
  }

  #tell(): void {
    this.#told = performance.now();
    this.#onChange();
  }
}
