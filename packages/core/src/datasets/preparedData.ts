import type { UserError } from '../errors.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import type { ChatRenderer } from './chatRenderer.ts';
import type { AnswerMode, FieldOptions } from './formats/index.ts';
import type { JudgeOptions } from './judge.ts';
import type { PreparedSummary } from './preparedSummary.ts';
import type { MaskOptions } from './render.ts';
import type { JudgedRow } from './rowTable.ts';
import type { TokenStore } from './tokenStore.ts';

/** One data set of a recipe. */
export interface DatasetInput {
  readonly files: readonly string[];
  /** A format's name, or `auto`. */
  readonly type: string;
  readonly fields: FieldOptions;
  readonly mask: MaskOptions;
  /** 0.75 takes that share of its rows, 2 takes each twice. */
  readonly weight: number;
  /** Its share of the rows of an epoch, instead of a weight. */
  readonly percent?: number | null;
  /** Most of its rows that are taken. */
  readonly maxSamples?: number | null;
}

export interface PrepareOptions extends JudgeOptions {
  /** What rows say of answers that are preferred; null where every answer is imitated. */
  readonly answers?: AnswerMode | null;
  readonly datasets: readonly DatasetInput[];
  /** Rows only measured, never trained; then `validationSize` must be 0. */
  readonly validationDatasets?: readonly DatasetInput[];
  readonly tokenizer: Tokenizer;
  /** Null for a model without a chat template, which can learn plain text. */
  readonly renderer: ChatRenderer | null;
  readonly deduplicate: boolean;
  /** 0 for none, below 1 a share of the distinct rows, from 1 on their number. */
  readonly validationSize: number;
  readonly seed: number;
  /** Where the tokens go: `tokens.bin`, `rows.bin`, `manifest.json`, `dropped.jsonl`. */
  readonly folder: string;
  /** A folder in which prepared data are kept for others that prepare the same. */
  readonly cache?: string | undefined;
  /**
   * For an estimate while somebody writes a recipe: what lies prepared is taken as it is, without reading it through, and data of
   * more bytes are not prepared.
   */
  readonly atAGlance?: { readonly mostBytes: number } | undefined;
  /** Is told what becomes of rows as they are judged, in order. Of what lies prepared already, `rows.bin` tells the same. */
  readonly onRows?: (rows: readonly JudgedRow[]) => void;
  readonly onProgress?: (progress: PrepareProgress) => void;
  readonly signal?: AbortSignal;
}

export interface PrepareProgress {
  readonly file: string;
  readonly rows: number;
  readonly rowsOfFile: number;
}

export interface PreparedData {
  readonly folder: string;
  readonly train: TokenStore;
  readonly validation: TokenStore | null;
  readonly summary: PreparedSummary;
  /** Rows that were dropped or cut, or of which a part is not printed, one JSON object a line: file, row, verdict, reason, detail, left_out. */
  readonly droppedFile: string;
  /** The tokens were there already, or in the cache, and nothing had to be tokenized. */
  readonly reused: boolean;
  /** Why the cache could not be used, or how what it had was damaged. */
  readonly cacheError?: UserError;
}
