import { UserError } from '../errors.ts';
import type { InspectedRow, InspectedText, InspectedToken, RowExcerpt } from '../protocol/data.ts';
import type { TokenizedText } from '../tokenizers/tokenizedText.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import type { ChatRenderer } from './chatRenderer.ts';
import { begunOnce } from './encode.ts';
import { excerptOf } from './excerpt.ts';
import { type AnswerMode, type AnswerReader, FORMAT_ROWS, openReaderOf, type RowReader } from './formats/index.ts';
import { countTargetTokens, type JudgeOptions } from './judge.ts';
import type { DatasetInput } from './preparedData.ts';
import { type ProcessedPart, type ProcessedRow, type ProcessOptions, processRows } from './processRows.ts';
import { openSource } from './read.ts';
import { type JudgedRow, judgedRow } from './rowTable.ts';
import { reasonOf } from './tokenReason.ts';
import type { Content, DataSource, RawRow, RowSource } from './types.ts';

/** More than anybody reads, and few enough that a row of any length can be written as JSON. */
export const MOST_TOKENS_SHOWN = 100_000;

export interface InspectOptions extends JudgeOptions, RowText {
  /** As in `PrepareOptions`. */
  readonly answers?: AnswerMode | null;
}

/** What makes tokens of a row. */
export interface RowText {
  readonly tokenizer: Tokenizer;
  readonly renderer: ChatRenderer | null;
}

/** A row in a list. */
export interface InspectedLine {
  readonly source: RowSource;
  readonly excerpt: RowExcerpt;
  readonly judged: JudgedRow;
}

/** One file of a data set, opened for looking at its rows. */
export interface InspectedFile {
  readonly rowCount: number;
  /** The format its rows are read as, and the columns that are read. */
  readonly format: string;
  readonly fields: Readonly<Record<string, string>>;
  /**
   * Rows `offset` … `offset + limit - 1`, fewer at the end. @throws UserError for a row that cannot be read
   * @param text another tokenizer and template than those it was opened with
   */
  page(offset: number, limit: number, text?: RowText): Promise<InspectedRow[]>;
  /** As `page`, with as much of each row as a list shows; one that cannot be read is shown as such. */
  list(offset: number, limit: number): Promise<InspectedLine[]>;
  /** As `list`, without making tokens of the rows: for those whose verdicts are known. */
  excerpts(offset: number, limit: number): Promise<Omit<InspectedLine, 'judged'>[]>;
  /** The rows at these places, in any order, as they lie in the file; one that cannot be read is shown as such. */
  pick(offsets: readonly number[]): Promise<RawRow[]>;
  /** What becomes of rows of this file, in numbers. */
  judge(rows: readonly RawRow[]): Promise<JudgedRow[]>;
  /** As they lie in the file; one that cannot be read is shown as such. */
  raw(offset: number, limit: number): Promise<RawRow[]>;
  close(): Promise<void>;
}

/** @throws UserError for data that cannot be read */
export async function openInspectedFile(
  file: string,
  dataset: DatasetInput,
  options: InspectOptions,
): Promise<InspectedFile> {
  const source = await openSource(file);
  try {
    const sample = await source.page(0, FORMAT_ROWS);
    const reader = openReaderOf(sample, options.answers ?? null, dataset.type, dataset.fields, file);
    const processing = { ...options, reader, mask: dataset.mask };
    return {
      rowCount: source.rowCount,
      format: reader.format,
      fields: reader.fields,
      async page(offset, limit, { tokenizer, renderer } = options) {
        const by = { ...processing, tokenizer, renderer };
        const processed = await processRows(by, await source.page(offset, limit));
        return Promise.all(processed.map((row) => inspectRow(row, by)));
      },
      async list(offset, limit) {
        const processed = await processRows(processing, await readable(source, offset, limit));
        return processed.map((row) => ({
          source: row.row.source,
          excerpt: excerptOf(row.row, row.content),
          judged: judgedRow(row),
        }));
      },
      async excerpts(offset, limit) {
        const rows = await readable(source, offset, limit);
        return rows.map((row) => ({ source: row.source, excerpt: excerptOf(row, readContent(reader, row)) }));
      },
      async pick(offsets) {
        try {
          return await source.pick(offsets);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          return (await Promise.all(offsets.map((offset) => readable(source, offset, 1)))).flat();
        }
      },
      judge: async (rows) => (await processRows(processing, rows)).map((row) => judgedRow(row)),
      raw: (offset, limit) => readable(source, offset, limit),
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Shows a processed row, of a pair both answers. */
async function inspectRow(processed: ProcessedRow, options: ProcessOptions): Promise<InspectedRow> {
  const { row, rejected, verdict, unread } = processed;
  const margin = processed.documents[0]?.margin;
  const shown = { source: row.source, value: row.value, verdict, unread, ...(margin !== undefined && { margin }) };
  return {
    ...shown,
    ...(await inspectPart(processed, options)),
    ...(rejected && { rejected: await inspectPart(rejected, options) }),
  };
}

/** The tokens are those that it was encoded to. */
async function inspectPart(
  { content, rendered, encoded }: ProcessedPart,
  { tokenizer, renderer, mask }: ProcessOptions,
): Promise<InspectedText> {
  const shown = { text: rendered?.text ?? null, turns: rendered?.turns ?? [], leftOut: rendered?.leftOut ?? [] };
  if (content === null || rendered === null || encoded === null) {
    return { ...shown, tokens: null, tokenCount: null, targetTokens: null, tokensLeftOut: 0 };
  }
  const tokenized: TokenizedText =
    rendered.kind === 'chat'
      ? await tokenizer.encode(rendered.text)
      : begunOnce(await tokenizer.encodeWithSpecial(rendered.text), tokenizer);
  const endTokens = renderer ? [...renderer.endTokens, ...renderer.closingTokens] : [];
  const reasons = { content, rendered, mask, endTokens };
  const tokens = Array.from(encoded.ids.subarray(0, MOST_TOKENS_SHOWN), (id, i): InspectedToken => {
    const turn = encoded.turns.find(({ start, end }) => start <= i && i < end);
    // The EOS that ends a plain text stands nowhere in it.
    const [start, end] = [tokenized.starts[i] ?? rendered.text.length, tokenized.ends[i] ?? rendered.text.length];
    const isMasked = encoded.lossMask[i] === 1;
    const isAlone = start < end && tokenized.starts[i + 1] !== start && (tokenized.ends[i - 1] ?? 0) <= start;
    const bytes = tokenizer.tokenBytes(id) ?? (isAlone ? Buffer.from(rendered.text.slice(start, end)) : null);
    return {
      id,
      text: tokenizer.tokenText(id) ?? '',
      start,
      end,
      bytes: bytes && Buffer.from(bytes).toString('hex'),
      target: i > 0 && isMasked,
      reason: reasonOf({ start, end }, i, isMasked, turn, reasons),
      message: turn?.message ?? null,
    };
  });
  const tokenCount = encoded.ids.length;
  const targetTokens = countTargetTokens(encoded);
  return { ...shown, tokens, tokenCount, targetTokens, tokensLeftOut: tokenCount - tokens.length };
}

/** The rows of a page; where one of them cannot be read, it stands there with the reason. */
async function readable(source: DataSource, offset: number, limit: number): Promise<RawRow[]> {
  try {
    return await source.page(offset, limit);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (limit > 1) {
      const half = limit >> 1;
      return [...(await readable(source, offset, half)), ...(await readable(source, offset + half, limit - half))];
    }
    const row = Number(/:(\d+)$/.exec(error.where ?? '')?.[1] ?? offset + 1);
    const fault = `${error.what}: as long as it stands there, nothing is trained`;
    return [{ source: { file: source.path, row }, value: {}, fault }];
  }
}

function readContent(reader: RowReader | AnswerReader, { value, fault }: RawRow): Content | null {
  if (fault !== undefined) return null;
  const content = reader.read(value);
  if (!('kind' in content)) return content[0]?.content ?? null;
  return content.kind === 'dropped' ? null : content;
}
