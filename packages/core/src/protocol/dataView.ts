/** A data set that is looked at for a while: windows of its rows, one row token by token, verdicts on all. Browser-safe. */
import { z } from 'zod';
import type { InspectedRow, InspectedText, InspectedToken, RowExcerpt } from './data.ts';
import type { errorSchema } from './events.ts';
import { otherTemplates } from './otherTemplates.ts';
import { ROW_FILTERS, type RowFilter, type RowVerdict } from './rowVerdicts.ts';

/**
 * The data of a recipe, or a data file, or what was pulled of a data set of a hub, and the model whose tokenizer and template
 * read them. Keys are relative to the workspace, of a hub's to its data sets in the cache.
 */
const key = z.string().min(1).max(1024).nullable().default(null);
/** Of what no recipe reads, how its rows are read: keys of a data set as `datasets.0.type=alpaca`, one a line. */
const mapping = z.string().max(4096).nullable().default(null);
export const dataSourceName = z.strictObject({ recipe: key, file: key, hub: key, model: key, mapping });
export type DataSourceName = z.infer<typeof dataSourceName>;

/** What of a workspace can be looked at. */
export interface ListedData {
  recipes: { key: string }[];
  /** Newest first. */
  files: { key: string; bytes: number; modified: string }[];
  /** What was pulled of data sets of hubs, whole or not. */
  hub: HubData[];
  /** Where a file may be put, the workspace itself as ''. */
  folders: string[];
  /** That the recipes name, for data files without a recipe. */
  models: string[];
  /** Models that are here, whose tokenizers can read the rows as well: those of the folder by their keys, pulled ones by their names. */
  tokenizers: string[];
}

/** Some rows of a data set of a hub, as they lie in the cache. */
export interface HubData {
  key: string;
  /** `owner/name`. */
  id: string;
  /** What was asked for; null where it was left open. */
  revision: string | null;
  name: string | null;
  split: string | null;
  files: readonly string[] | null;
  /** It has arrived, and was checked against the hashes of the hub. */
  isWhole: boolean;
  bytes: number;
  /** Where it came from and what came; null while it is not whole. */
  source: string | null;
  commit: string | null;
  license: string | null;
}

/** The keys by which a recipe names it. */
export function hubEntry({ id, revision, name, split, files }: Omit<HubData, 'key' | 'bytes' | 'isWhole'>): {
  path: string;
} & Record<string, string | readonly string[]> {
  const given = Object.entries({ revision, name, split, data_files: files }).flatMap(([option, value]) =>
    value === null ? [] : [[option, value] as const],
  );
  return { path: id, ...Object.fromEntries(given) };
}

const rowNumber = z.int().min(1);
const filter = z.enum(ROW_FILTERS).default('all');
/** Only rows that hold it, in any case, as far as they are found; null for all. */
const search = z.string().min(1).max(200).nullable().default(null);

/** `offset` counts the rows that filter and search let through, from 0. */
export const rowWindowRequest = z.strictObject({
  filter,
  search,
  offset: z.int().min(0),
  limit: z.int().min(1).max(200),
});
export type RowWindowRequest = z.input<typeof rowWindowRequest>;

/**
 * A chat template by its name, the model's own being `tokenizer_default`, and a model whose tokenizer it is; null: as the recipe
 * has it.
 */
export const otherTextSchema = z.strictObject({
  template: z.enum(otherTemplates).nullable().default(null),
  model: z.string().min(1).max(1024).nullable().default(null),
});
export type OtherText = z.infer<typeof otherTextSchema>;

/** Of a row, or the prompt of a pair with one of its answers, the tokens from number `from` on, counted from 0. */
export const dataRowRequest = z.strictObject({
  row: rowNumber,
  from: z.int().min(0).default(0),
  answer: z.enum(['chosen', 'rejected']).default('chosen'),
  /** Read in another way than the data are; what becomes of the row is then told for that. */
  other: otherTextSchema.nullable().default(null),
});
export type DataRowRequest = z.input<typeof dataRowRequest>;

/** The next row after `row` that the filter lets through, or the one before it. */
export const findRowRequest = z.strictObject({
  filter,
  search,
  row: z.int().min(0),
  direction: z.enum(['forward', 'backward']).default('forward'),
});
export type FindRowRequest = z.input<typeof findRowRequest>;

export const lengthsRequest = z.strictObject({ sequenceLen: z.int().min(1).max(1e9) });
export type LengthsRequest = z.input<typeof lengthsRequest>;

export const problemRowsRequest = z.strictObject({ filter: filter.default('problem'), search });
export type ProblemRowsRequest = z.input<typeof problemRowsRequest>;

type ToldError = z.infer<typeof errorSchema>;

export interface ViewedFile {
  path: string;
  bytes: number;
  rows: number;
  format: string;
  /** The columns that its texts are found in. */
  fields: Readonly<Record<string, string>>;
  /** Its rows are only measured. */
  isValidation: boolean;
}

export interface DataOverview {
  files: ViewedFile[];
  rows: number;
  model: string;
  sequenceLen: number;
  excessLength: 'raise' | 'drop' | 'truncate';
}

/** How far the verdicts on all rows are known. `counts` hold what has been judged so far. */
export interface JudgingState {
  state: 'none' | 'working' | 'stopped' | 'done' | 'failed';
  judged: number;
  counts: Readonly<Partial<Record<RowFilter, number>>>;
  /** Why training would refuse these data, or why the rows cannot be judged. */
  error: ToldError | null;
}

/** How far a search has come. */
export interface SearchState {
  text: string;
  looked: number;
  found: number;
  isDone: boolean;
}

export type DataState =
  | { phase: 'opening'; file: string; number: number; of: number }
  | { phase: 'open'; overview: DataOverview; judging: JudgingState; searches: SearchState[] };

export interface ViewedRow {
  /** Counted from 1 over all files, in their order. */
  number: number;
  file: string;
  /** In its file, as `RowSource` counts. */
  row: number;
  excerpt: RowExcerpt;
  verdict: RowVerdict;
  tokens: number | null;
  targetTokens: number | null;
  leavesOut: boolean;
}

export interface RowWindow {
  rows: ViewedRow[];
  /** All rows that the filter lets through, as far as they are judged. */
  total: number;
}

/** A row with some of its tokens; their positions are those of the whole text. */
export interface DataRow extends Omit<InspectedRow, 'value' | 'tokens' | 'tokensLeftOut' | 'text' | 'rejected'> {
  number: number;
  /** As it lies in the file, as JSON; the beginning of a long one. */
  value: string;
  isValueCut: boolean;
  /** Of a preference pair: how long its prompt and rejected answer are. */
  rejected: Pick<InspectedText, 'tokenCount' | 'targetTokens'> | null;
  sequenceLen: number;
  /** Of the text, what these tokens stand for; null for a row that was not rendered. */
  text: string | null;
  textStart: number;
  from: number;
  tokens: readonly InspectedToken[] | null;
  isLast: boolean;
}

/** How many rows, tokens and target tokens are longer than a length, or lie beyond it. */
export interface LengthLoss {
  rows: number;
  /** Tokens and target tokens of rows that are dropped for it. */
  tokens: number;
  targetTokens: number;
  /** Tokens that are cut off instead where long rows are truncated. */
  tokensBeyond: number;
}

/** The lengths of all rows that have tokens. Bin i holds lengths from i·width to (i + 1)·width - 1, the last one all longer, too. */
export interface RowLengths {
  width: number;
  rows: readonly number[];
  longest: number;
  totalRows: number;
  totalTokens: number;
  totalTargetTokens: number;
  /** At the length asked for, and at the first length of each bin. Plain texts are split, so they lose nothing. */
  loss: LengthLoss;
  lossOfBin: readonly LengthLoss[];
  /** Where they are estimated from some of the rows; null where all were counted. */
  sample: LengthSample | null;
}

/** What estimates are made from, and how far off each may be: more in 5 of 100 cases only. */
export interface LengthSample {
  rows: number;
  of: number;
  /** Of the rows in each bin. */
  margins: readonly number[];
  loss: LengthLoss;
  lossOfBin: readonly LengthLoss[];
  /** How many rows there may be of a kind of which the sample has none. */
  ofNone: number;
}
