import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { UserError } from '@anneal/formats/errors';
import type { AtomicFile } from '@anneal/formats/files/atomicWrite';
import { sha256OfFile } from '../fileHash.ts';
import { FORMAT_ROWS, leavesRejectedUnread, openReaderOf } from './formats/index.ts';
import { histogramOf } from './histogram.ts';
import { countTargetTokens } from './judge.ts';
import { BEGINS_THOUGHTS } from './leftOut.ts';
import type { DatasetInput, PrepareOptions } from './preparedData.ts';
import type { PreparedSummary } from './preparedSummary.ts';
import { type ProcessedRow, processRows } from './processRows.ts';
import { PROVENANCE_COLUMN } from './provenance.ts';
import { openSource } from './read.ts';
import { type JudgedRow, judgedRow, RowTable } from './rowTable.ts';
import { type PreparedRow, selectRows } from './select.ts';
import type { StoreManifest } from './storeManifest.ts';
import { hashOf, toWords } from './tokenStore.ts';
import type { TokenStoreWriter } from './tokenStoreWriter.ts';
import { type DropReason, describeSource, describeVerdict, dropped, type LeftOut, type RowSource } from './types.ts';

/** Rows rendered and tokenized together: enough to feed the library's threads, little to hold. */
const PAGE_ROWS = 256;

/** One pass over the data, and what it has seen so far. */
export class DataPass {
  readonly #options: PrepareOptions;
  readonly #writer: TokenStoreWriter;
  readonly #files: PreparedSummary['files'][number][] = [];
  readonly #rows: PreparedRow[] = [];
  /** Where each distinct row was first seen. */
  readonly #seen = new Map<bigint, RowSource>();
  readonly #droppedBy: Partial<Record<DropReason, number>> = {};
  readonly #examples: Partial<Record<DropReason, string>> = {};
  readonly #leftOut: Partial<Record<LeftOut['part'], { rows: number; first: string }>> = {};
  #rowCount = 0;
  #truncated = 0;
  #duplicates = 0;
  /** What became of each row. */
  readonly table = new RowTable();
  readonly #lengths: number[] = [];
  readonly #targetCounts: number[] = [];

  constructor(options: PrepareOptions, writer: TokenStoreWriter) {
    this.#options = options;
    this.#writer = writer;
  }

  async addFile(dataset: number, input: DatasetInput, path: string, list: AtomicFile): Promise<void> {
    const {
      answers = null,
      tokenizer,
      renderer,
      sequenceLen,
      excessLength,
      onProgress,
      onRows,
      signal,
    } = this.#options;
    const source = await openSource(path, signal);
    try {
      const sample = await source.page(0, FORMAT_ROWS);
      const values = sample.map((row) => row.value);
      const reader = openReaderOf(sample, answers, input.type, input.fields, path);
      const processing = { reader, renderer, tokenizer, mask: input.mask, sequenceLen, excessLength };
      const { size: bytes, mtimeMs } = await there(path);
      const sha256 = await sha256OfFile(path, signal);
      const rejectedUnread = answers === null && leavesRejectedUnread(reader, values);
      const unread: Record<string, number> = {};
      const facts = { path, bytes, sha256, format: reader.format, rejectedUnread, unread, provenance: 0 };
      const file = this.#files.push(facts) - 1;
      let rows = 0;
      // Where the library tokenizes a page, it does so on other threads, and the next is read and rendered here meanwhile.
      let ahead: Promise<ProcessedRow[]> | null = null;
      const settle = async (): Promise<void> => {
        const done = (await ahead) ?? [];
        const lines: string[] = [];
        const judged: JudgedRow[] = [];
        for (const row of done) {
          for (const column of row.unread) unread[column] = (unread[column] ?? 0) + 1;
          if (PROVENANCE_COLUMN in row.row.value) facts.provenance++;
          judged.push(await this.#addRow(dataset, file, row, lines));
        }
        for (const row of judged) this.table.append(row);
        onRows?.(judged);
        if (lines.length > 0) await list.write(Buffer.from(lines.join('')));
        rows += done.length;
        if (done.length > 0) onProgress?.({ file: path, rows, rowsOfFile: source.rowCount });
      };
      for await (const page of source.rows(PAGE_ROWS)) {
        signal?.throwIfAborted();
        const next = processRows(processing, page);
        next.catch(() => undefined); // awaited below; until then it must not count as unhandled
        await settle();
        ahead = next;
      }
      await settle();
      const after = await there(path);
      if (after.size !== bytes || after.mtimeMs !== mtimeMs) throw changedMeanwhile(path);
      if (rejectedUnread) delete unread.rejected; // said on its own
    } finally {
      await source.close();
    }
  }

  async #addRow(dataset: number, file: number, processed: ProcessedRow, lines: string[]): Promise<JudgedRow> {
    const { row, rendered, rejected, documents, verdict: judged } = processed;
    this.#rowCount++;
    for (const encoded of [processed.encoded, rejected?.encoded ?? null]) {
      if (encoded === null) continue;
      this.#lengths.push(encoded.ids.length);
      this.#targetCounts.push(countTargetTokens(encoded));
    }
    const words = documents.map(toWords);
    const hash = hashOf(words);
    const first = judged.kind === 'dropped' ? undefined : this.#seen.get(hash);
    if (first !== undefined) this.#duplicates++;
    const isDuplicate = first !== undefined && this.#options.deduplicate;
    const verdict = isDuplicate ? dropped('duplicate', `equals ${describeSource(first)}`) : judged;
    const leftOut = [...(rendered?.leftOut ?? []), ...(rejected?.rendered?.leftOut ?? [])];
    const outcome = judgedRow(processed, verdict);
    if (verdict.kind !== 'kept' || leftOut.length > 0) {
      const parts = leftOut.length > 0 ? { left_out: leftOut.map(({ detail }) => detail) } : {};
      lines.push(`${JSON.stringify({ ...row.source, ...describeVerdict(verdict), ...parts })}\n`);
    }
    if (verdict.kind === 'dropped') {
      this.#droppedBy[verdict.reason] = (this.#droppedBy[verdict.reason] ?? 0) + 1;
      this.#examples[verdict.reason] ??= `${describeSource(row.source)}: ${verdict.detail}`;
      return outcome;
    }
    for (const part of new Set(leftOut.map((left) => left.part))) {
      const seen = (this.#leftOut[part] ??= { rows: 0, first: describeSource(row.source) });
      seen.rows++;
    }
    if (verdict.kind === 'truncated') this.#truncated++;
    if (first === undefined) this.#seen.set(hash, row.source);
    const firstDocument = this.#writer.documents;
    for (const [i, document] of documents.entries()) {
      await this.#writer.append(words[i] as Uint32Array, countTargetTokens(document), file, row.source.row, document);
    }
    this.#rows.push({ dataset, hash, firstDocument, documents: documents.length });
    return outcome;
  }

  get #longest(): number {
    return this.#lengths.reduce((most, length) => Math.max(most, length), 0);
  }

  async finish(key: string): Promise<StoreManifest> {
    const { datasets, validationDatasets = [], validationSize, seed } = this.#options;
    if (this.#rows.length === 0) throw this.#tooLong() ?? this.#nothingToTrain();
    const trained = this.#rows.filter((row) => row.dataset < datasets.length);
    const measured = this.#rows.filter((row) => row.dataset >= datasets.length);
    const { train, validation } = selectRows(trained, datasets, validationSize, seed);
    const measuredOnly = [...datasets.map(() => ({ weight: 0 })), ...validationDatasets];
    if (validationDatasets.length > 0 && measured.length === 0) throw this.#tooLong() ?? this.#nothingToMeasure();
    const held = measured.length > 0 ? selectRows(measured, measuredOnly, 0, seed).train : validation;
    if (train.length === 0) throw this.#tooLong() ?? this.#nothingToTrain();
    const { sha256 } = await this.#writer.finish(train, held);
    const sum = (numbers: readonly number[]): number =>
      train.reduce((total, document) => total + (numbers[document] as number), 0);
    const droppedCount = Object.values(this.#droppedBy).reduce((total, count) => total + count, 0);
    const summary: PreparedSummary = {
      rows: this.#rowCount,
      kept: this.#rowCount - droppedCount - this.#truncated,
      truncated: this.#truncated,
      dropped: droppedCount,
      droppedBy: this.#droppedBy,
      leftOut: this.#leftOut,
      tokens: sum(this.#writer.lengths),
      targetTokens: sum(this.#writer.targetCounts),
      trainDocuments: train.length,
      validationDocuments: held.length,
      longest: this.#longest,
      duplicates: this.#duplicates,
      histogram: histogramOf(this.#lengths, this.#targetCounts),
      files: this.#files,
    };
    return {
      version: this.#writer.version,
      key,
      tokens: this.#writer.tokens,
      documents: this.#writer.documents,
      train: train.length,
      validation: held.length,
      sha256,
      files: this.#files.map(({ path }) => path),
      summary,
    };
  }

  async abort(): Promise<void> {
    await this.#writer.abort();
  }

  /** Where nothing is left, that rows are too long is said first if the recipe wants to know of them. */
  #tooLong(): UserError | null {
    const { excessLength, sequenceLen } = this.#options;
    const where = this.#examples.too_long;
    if (excessLength !== 'raise' || where === undefined) return null;
    return rowsTooLong(
      { rows: this.#rowCount, droppedBy: this.#droppedBy, longest: this.#longest },
      sequenceLen,
      where,
    );
  }

  #nothingToTrain(): UserError {
    const reasons = Object.entries(this.#droppedBy).toSorted(([, a], [, b]) => b - a);
    const [main] = reasons as [[DropReason, number]];
    return new UserError({
      what: `nothing would be trained: none of ${this.#rowCount} rows is left (${reasons.map(([reason, count]) => `${count} ${reason}`).join(', ')})`,
      where: this.#examples[main[0]],
      next: ADVICE[main[0]],
      code: 'nothing_supervised',
    });
  }

  #nothingToMeasure(): UserError {
    const { validationDatasets = [], deduplicate } = this.#options;
    return new UserError({
      what: 'no row of test_datasets is left to measure the validation loss on',
      where: validationDatasets[0]?.files[0],
      next:
        deduplicate && this.#duplicates > 0
          ? 'dataset_exact_deduplication drops the rows that are trained on: give others, or set val_set_size instead'
          : 'correct its rows, or set val_set_size instead; `anneal inspect` shows why rows are dropped',
      code: 'no_validation_rows',
    });
  }
}

/** @param where the first of these rows, and how long it is */
export function rowsTooLong(
  { rows, droppedBy, longest }: Pick<PreparedSummary, 'rows' | 'droppedBy' | 'longest'>,
  sequenceLen: number,
  where: string,
): UserError {
  return new UserError({
    what: `${droppedBy.too_long ?? 0} of ${rows} rows are longer than sequence_len ${sequenceLen}; the longest has ${longest} tokens`,
    where,
    next: `raise sequence_len, or set excess_length_strategy to truncate or drop`,
    code: 'rows_too_long',
  });
}

/** What to do when a reason took every row. */
const ADVICE: Readonly<Record<DropReason, string>> = {
  malformed_row: 'check `type` and its field_… keys against the fields of the data',
  empty: 'check that the field names point at the texts',
  bad_roles: "map the data's role names with `roles`, or the message's parts with `message_property_mappings`",
  bad_answer:
    'every row is marked as a bad answer (`label: false`); add rows with good ones, or remove the field `label`',
  template_refused: 'the chat template wants another order of roles; change the data, or set another `chat_template`',
  turn_not_found: 'the chat template hides the trained roles; set roles_to_train, or another `chat_template`',
  content_lost:
    'the chat template cannot print these messages: set a `chat_template` that prints tool calls and thinking; or the tokenizer has no token for their characters: use another model',
  missing_end_token: 'set a `chat_template` that ends turns with the EOS token, or train_on_eos: none',
  boundary_inside_token: `the prompt of the chat template ends within a token: where it ${BEGINS_THOUGHTS}; where answers begin with white space, remove it; else set another \`chat_template\``,
  token_without_row:
    'leave that token out of the rows and of the chat template, or use a copy of the model whose embedding was enlarged for it',
  nothing_supervised: 'no message has a role in roles_to_train, or `train: false` is set everywhere',
  too_long: 'raise sequence_len, or set excess_length_strategy to truncate',
  duplicate: 'set dataset_exact_deduplication: false',
  answer_missing: 'give each row both answers, in the columns that field_chosen and field_rejected name',
  answers_equal: 'give rows whose answers differ',
  label_missing: 'give each row a `label` that is true or false',
};

async function there(path: string): Promise<Stats> {
  return stat(path).catch((cause: unknown) => {
    throw changedMeanwhile(path, cause);
  });
}

/** Its hash would be that of other rows. */
function changedMeanwhile(path: string, cause?: unknown): UserError {
  return new UserError({
    what: 'the data file was changed or removed while it was read',
    where: path,
    next: 'start again once it is there and written',
    code: 'file_changed',
    cause,
  });
}
