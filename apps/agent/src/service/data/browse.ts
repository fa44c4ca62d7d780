/** A data set that somebody looks at for a while: its files and its tokenizer stay open. */
import { proposeMapping } from '@anneal/core/datasets/proposeMapping';
import { openSource } from '@anneal/core/datasets/read';
import { rowLengths } from '@anneal/core/datasets/rowLengths';
import type { RowTable } from '@anneal/core/datasets/rowTable';
import { sampledLengths } from '@anneal/core/datasets/sampledLengths';
import { describeSource } from '@anneal/core/datasets/types';
import { UserError } from '@anneal/core/errors';
import type { ModelText } from '@anneal/core/generate/modelText';
import type { ProposedMapping } from '@anneal/core/protocol/columns';
import type { InspectedRow, InspectRequest } from '@anneal/core/protocol/data';
import {
  type DataOverview,
  type DataRow,
  type DataRowRequest,
  type DataState,
  dataRowRequest,
  type FindRowRequest,
  findRowRequest,
  type LengthsRequest,
  lengthsRequest,
  type OtherText,
  type ProblemRowsRequest,
  problemRowsRequest,
  type RowLengths,
  type RowWindow,
  type RowWindowRequest,
  rowWindowRequest,
} from '@anneal/core/protocol/dataView';
import type { RowFilter } from '@anneal/core/protocol/rowVerdicts';
import type { Context } from '../context.ts';
import { eachChange } from '../eachChange.ts';
import { parseRequest } from '../parseRequest.ts';
import { reporting } from '../reporting.ts';
import { dataRow } from './dataRow.ts';
import { type InspectedData, openData } from './inspect.ts';
import { Judging } from './judging.ts';
import { countBelow, Matches } from './matches.ts';
import { problemLines } from './problemLines.ts';
import { Recent } from './recent.ts';
import { sampleRows } from './rowSample.ts';
import { Search } from './search.ts';
import { stateOf, viewFiles } from './viewedFiles.ts';
import { viewedRows } from './viewedRows.ts';

/** Data of up to so many bytes are judged without being asked to: some seconds. */
const judgedAtOnce = 100e6;
/** Rows that were looked at last, with all their tokens. */
const mostKept = 4;
/** Other tokenizers and templates that rows were read with last. */
const mostTexts = 2;
/** Searches whose rows are remembered. */
const mostSearches = 4;
/** By which columns are known: as many as a format is found by. */
const rowsForColumns = 100;
/** The files, which take a while, are opened afterwards: `watch` tells of it. @throws UserError, InvalidRecipe */
export function browseData(context: Context, request: InspectRequest): AsyncGenerator<never, BrowsedData> {
  return reporting(async () => new BrowsedData(await openData(context, request)));
}

export class BrowsedData {
  readonly #data: InspectedData;
  /** Of each file when it was opened. */
  readonly #filesAsOpened: readonly string[];
  readonly #whole: Promise<{ overview: DataOverview; judging: Judging }>;
  readonly #listeners = new Set<() => void>();
  /** While the files are opened, where that stands. */
  #state: DataState | 'settled';
  readonly #matches = new Matches();
  readonly #searches = new Recent<Search>(mostSearches, (search) => void search.stop());
  /** By number, and by what else reads it. */
  readonly #kept = new Recent<Promise<InspectedRow | undefined>>(mostKept);
  readonly #texts = new Recent<ModelText>(mostTexts);
  readonly #given = new AbortController();
  #sample: Promise<RowTable> | undefined;

  constructor(data: InspectedData) {
    const { files } = data.rows;
    this.#data = data;
    this.#filesAsOpened = files.map(({ path }) => stateOf(path));
    this.#state = { phase: 'opening', file: files[0]?.path ?? '', number: 1, of: files.length };
    this.#whole = this.#open().finally(() => {
      this.#state = 'settled';
      this.#tell();
    });
    this.#whole.catch(() => undefined); // told to whoever asks
  }

  /** What is open, and how far its rows are judged, whenever that changes. */
  async *watch(_request: undefined, signal = new AbortController().signal): AsyncGenerator<DataState, void> {
    const listen = (listener: () => void) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    };
    for await (const _ of eachChange(listen, signal)) {
      if (this.#state === 'settled') {
        const { overview, judging } = await this.#whole;
        yield {
          phase: 'open',
          overview,
          judging: judging.state,
          searches: this.#searches.values.map(({ state }) => state),
        };
      } else yield this.#state;
    }
  }

  /** How the columns of the first file may be read, whether they can be or not. */
  async columns(_request: undefined): Promise<ProposedMapping> {
    const source = await openSource((this.#data.rows.files[0] as { path: string }).path);
    try {
      return proposeMapping((await source.page(0, rowsForColumns)).map(({ value }) => value));
    } finally {
      await source.close();
    }
  }

  /** Begins to judge all rows. */
  async judge(_request: undefined): Promise<void> {
    (await this.#opened()).judging.start();
  }

  async stopJudging(_request: undefined): Promise<void> {
    await (await this.#whole).judging.stop();
  }

  async rows(request: RowWindowRequest): Promise<RowWindow> {
    const { filter, search, offset, limit } = parseRequest(rowWindowRequest, request);
    const { overview, judging } = await this.#opened();
    const { table } = judging;
    if (filter === 'all' && search === null) {
      const rows = await viewedRows(this.#data.rows, table, offset + 1, Math.min(offset + limit, overview.rows));
      return { rows, total: overview.rows };
    }
    const matches = this.#matching(table, filter, search);
    const wanted = matches.slice(offset, offset + limit);
    const rows = await Promise.all(wanted.map((row) => viewedRows(this.#data.rows, table, row + 1, row + 1)));
    return { rows: rows.flat(), total: matches.length };
  }

  /** @throws UserError `row_not_found` */
  async row(request: DataRowRequest): Promise<DataRow> {
    const { row: number, from, answer, other } = parseRequest(dataRowRequest, request);
    const { overview, judging } = await this.#opened();
    const row = await this.#inspected(number, other);
    if (!row) {
      throw new UserError({
        what: `there is no row ${number}: the data have ${overview.rows}`,
        where: overview.files.at(-1)?.path ?? 'the data',
        next: 'choose a row from the list',
        code: 'row_not_found',
      });
    }
    const shown = answer === 'rejected' ? row.rejected : row;
    if (!shown) {
      throw new UserError({
        what: `row ${number} has no rejected answer`,
        where: describeSource(row.source),
        next: 'ask for the row itself',
        code: 'row_not_found',
      });
    }
    return dataRow(row, shown, { number, from, sequenceLen: overview.sequenceLen, table: judging.table });
  }

  /** The number of a row; null where there is none as far as the rows are judged. */
  async find(request: FindRowRequest): Promise<number | null> {
    const { filter, search, row, direction } = parseRequest(findRowRequest, request);
    const { overview, judging } = await this.#opened();
    if (filter === 'all' && search === null) {
      const next = direction === 'forward' ? row + 1 : row - 1;
      return next >= 1 && next <= overview.rows ? next : null;
    }
    const matches = this.#matching(judging.table, filter, search);
    // Places count from 0, so `row` is the place of the next one.
    const at = direction === 'forward' ? countBelow(matches, row) : countBelow(matches, row - 1) - 1;
    const found = matches[at];
    return found === undefined ? null : found + 1;
  }

  /** Of all rows once they are judged, until then estimated from some of them. */
  async lengths(request: LengthsRequest): Promise<RowLengths> {
    const { sequenceLen } = parseRequest(lengthsRequest, request);
    const { overview, judging } = await this.#opened();
    if (judging.state.state === 'done') return rowLengths(judging.table, sequenceLen);
    this.#sample ??= sampleRows(
      this.#data.rows,
      overview.files.map((file) => file.rows),
      this.#given.signal,
    );
    return sampledLengths(await this.#sample, sequenceLen, overview.rows);
  }

  /** The rows that the filter lets through with what becomes of them, as lines of JSON. */
  async *problems(request: ProblemRowsRequest, signal?: AbortSignal): AsyncGenerator<string, void> {
    const { filter, search } = parseRequest(problemRowsRequest, request);
    const { table } = (await this.#opened()).judging;
    const matches = this.#matching(table, filter, search).slice();
    yield* problemLines(this.#data.rows, table, matches, signal);
  }

  async close(): Promise<void> {
    this.#given.abort();
    await this.#sample?.catch(() => undefined); // told to who asked
    await Promise.all(this.#searches.values.map((search) => search.stop()));
    await this.#whole.then(({ judging }) => judging.stop()).catch(() => undefined);
    await this.#data.close();
  }

  async #open(): Promise<{ overview: DataOverview; judging: Judging }> {
    const { rows, recipe, data, text } = this.#data;
    const files = await viewFiles(rows, (file, number) => {
      this.#state = { phase: 'opening', file, number, of: rows.files.length };
      this.#tell();
    });
    const overview: DataOverview = {
      files,
      rows: files.reduce((sum, file) => sum + file.rows, 0),
      model: recipe.base_model,
      sequenceLen: recipe.sequence_len,
      excessLength: recipe.excess_length_strategy,
    };
    const judging = new Judging(data, text, overview.rows, () => this.#tell());
    if (files.reduce((sum, { bytes }) => sum + bytes, 0) <= judgedAtOnce) judging.start();
    return { overview, judging };
  }

  /** @throws UserError `data_changed` */
  async #opened(): Promise<{ overview: DataOverview; judging: Judging }> {
    const { files } = this.#data.rows;
    const changed = files.find(({ path }, index) => stateOf(path) !== this.#filesAsOpened[index]);
    if (!changed) return this.#whole;
    throw new UserError({
      what: 'the data file has changed since it was opened',
      where: changed.path,
      next: 'open the data again',
      code: 'data_changed',
    });
  }

  #inspected(number: number, other: OtherText | null): Promise<InspectedRow | undefined> {
    const key = JSON.stringify([number, other]);
    return this.#kept.get(key, () => {
      const row = this.#data.rows
        .range({ first: number, last: number }, other ? this.#textOf(other) : undefined)
        .next()
        .then(({ value }) => value ?? undefined);
      // What could not be read now may be there again.
      row.catch(() => this.#kept.forget(key, row));
      return row;
    });
  }

  #textOf(other: OtherText): ModelText {
    return this.#texts.get(JSON.stringify(other), () => this.#data.otherText(other));
  }

  /** The places of the rows that both let through, as far as they are known. */
  #matching(table: RowTable, filter: RowFilter, text: string | null): readonly number[] {
    if (text === null) return this.#matches.of(table, filter);
    const search = this.#searches.get(text, () => new Search(text, this.#data.rows, () => this.#tell()));
    return filter === 'all'
      ? search.found
      : search.found.filter((place) => place < table.count && table.passes(place, filter));
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
