/**
 * The values that rows become on their way into the model: `read → render → encode → judge → pack → loader`.
 * All are plain; every function between them is one that the trainer, `anneal inspect` and the studio share.
 *
 * A *row* is a line of data. It becomes a *document*: tokens with a loss mask; a long plain text becomes several. With packing,
 * documents share *bins* of up to `sequenceLen` tokens. The bins of a step lie in one *batch* or more.
 */

/** Where a row came from. `row` counts from 1: the line of a JSONL or text file, the record of any other file. */
export interface RowSource {
  readonly file: string;
  readonly row: number;
}

/** A row as it lies in its file. */
export interface RawRow {
  readonly source: RowSource;
  readonly value: Readonly<Record<string, unknown>>;
  /** Why the row is dropped before it is read. */
  readonly fault?: string;
  /** Keys that are numbers stand in an order that is lost: what is printed of them would be another text. */
  readonly disordered?: boolean;
}

/** A data file opened for paging. Rows keep the order of the file; only what is asked for is read. */
export interface DataSource {
  readonly path: string;
  /** Fields of the first rows, in the order they appear. */
  readonly columns: readonly string[];
  readonly rowCount: number;
  /** Rows `offset` … `offset + limit - 1`, fewer at the end. @throws UserError naming file and line of a row that cannot be read */
  page(offset: number, limit: number): Promise<RawRow[]>;
  /** The rows at these places, each once, in any order. */
  pick(offsets: readonly number[]): Promise<RawRow[]>;
  /** All rows from the first on, in pages of at most `pageRows`. */
  rows(pageRows: number): AsyncGenerator<RawRow[]>;
  close(): Promise<void>;
}

/** `train.jsonl:1204` */
export const describeSource = ({ file, row }: RowSource): string => `${file}:${row}`;

export interface ToolCall {
  readonly type: 'function';
  readonly id?: string;
  readonly function: { readonly name: string; readonly arguments: unknown };
}

/** One message in the shape that chat templates expect; further fields of the row travel along untouched. */
export interface Message {
  readonly role: string;
  /** Null for a message that only calls tools. */
  readonly content: unknown;
  readonly tool_calls?: readonly ToolCall[];
  readonly [field: string]: unknown;
}

/** Where templates look for what was thought before an answer; the first that is given counts. */
export const THOUGHTS = ['reasoning_content', 'thinking', 'reasoning'] as const;

/** What a row holds once its format is understood. */
export type Conversation = {
  readonly kind: 'chat';
  readonly messages: readonly Message[];
  /** One entry a message: true or false overrules `rolesToTrain`, null leaves it to the role. */
  readonly train: readonly (boolean | null)[];
  readonly tools: readonly unknown[] | null;
  /** It ends where the model is to answer. */
  readonly isPrompt?: boolean;
};
/** An answer, with the prompt before it, that is preferred or not. */
export interface JudgedAnswer {
  readonly side: Side;
  /** Of the chosen one, where the row says by how much it is to be better. */
  readonly margin?: number | undefined;
  readonly content: Conversation;
}
export type PlainText = { readonly kind: 'text'; readonly text: string };
export type Content = Conversation | PlainText;

/** Half-open range of UTF-16 positions in a text, or of token positions. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One message within the rendered text. */
export interface Turn extends Span {
  readonly role: string;
  /** Which message of the conversation this is. */
  readonly message: number;
  /** What the loss counts of it, its end token included where wanted; null when nothing. */
  readonly supervised: Span | null;
}

/** The text a model reads. `supervised` are disjoint and ascending; for a chat they are those of its turns. */
export interface Rendered {
  readonly kind: Content['kind'];
  readonly text: string;
  readonly turns: readonly Turn[];
  readonly supervised: readonly Span[];
  /** What the row holds and the template does not print. */
  readonly leftOut: readonly LeftOut[];
}

/**
 * `earlier thinking`: the template prints what was thought for the last answer only, which is as it should be. `prompt`: what it
 * hands a model that is to answer does not stand before the answer. `turns`: a message holds tokens of the template itself.
 */
export const LEFT_OUT_PARTS = [
  'system',
  'tools',
  'text',
  'thinking',
  'earlier thinking',
  'call',
  'arguments',
  'prompt',
  'turns',
] as const;

/** A part of a row that the chat template does not print, or that a model reads as something else than it was. */
export interface LeftOut {
  readonly part: (typeof LEFT_OUT_PARTS)[number];
  /** Message of the conversation; null for the tools. */
  readonly message: number | null;
  readonly detail: string;
}

export interface TokenRange extends Span {
  readonly role: string;
  readonly message: number;
}

/** Of a document: it ends with no answer that was judged, with one that is preferred, or with one that is not. */
export const SIDES = ['none', 'chosen', 'rejected'] as const;
export type Side = (typeof SIDES)[number];

export interface Encoded {
  readonly ids: Int32Array;
  /** 1 for a target token: one that the model learns to predict from those before it. Same length as `ids`. */
  readonly lossMask: Uint8Array;
  readonly turns: readonly TokenRange[];
  /** Absent: none. */
  readonly side?: Side;
  /** Of a chosen answer, where rows say by how much it is to be better than the rejected one. */
  readonly margin?: number | undefined;
}

export const DROP_REASONS = [
  'malformed_row',
  'empty',
  'bad_roles',
  'bad_answer',
  'template_refused',
  'turn_not_found',
  'content_lost',
  'missing_end_token',
  'boundary_inside_token',
  'nothing_supervised',
  'too_long',
  'duplicate',
  'answer_missing',
  'answers_equal',
  'label_missing',
  'token_without_row',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** Why a token is trained, or is not. */
export const TOKEN_REASONS = [
  /** Trained: it is said by a role that is trained, or in a message that is marked so. */
  'answer',
  /** Trained: it ends a turn, as `train_on_eos` wants it. */
  'end_token',
  /** Trained: everything is, of a plain text or with `train_on_inputs`. */
  'everything',
  /** Nothing comes before the first token, so nothing predicts it. */
  'first',
  /** Its message's role is not trained. */
  'role',
  /** Its message is marked as one that is not trained. */
  'marked',
  /** The template prints it before what the message says. */
  'header',
  /** It follows what is trained of the message. */
  'end',
  /** The template prints it between messages. */
  'template',
] as const;
export type TokenReason = (typeof TOKEN_REASONS)[number];

export type Verdict =
  | { readonly kind: 'kept' }
  /** Cut to `sequenceLen`; it had `from` tokens. */
  | { readonly kind: 'truncated'; readonly from: number }
  | { readonly kind: 'dropped'; readonly reason: DropReason; readonly detail: string };

export const KEPT: Verdict = { kind: 'kept' };
export type Dropped = Verdict & { kind: 'dropped' };
export const dropped = (reason: DropReason, detail: string): Dropped => ({
  kind: 'dropped',
  reason,
  detail,
});

/** As it stands in `dropped.jsonl`. */
export function describeVerdict(verdict: Verdict): Record<string, unknown> {
  if (verdict.kind === 'kept') return { verdict: 'kept' };
  if (verdict.kind === 'truncated') return { verdict: 'truncated', from: verdict.from };
  return { verdict: 'dropped', reason: verdict.reason, detail: verdict.detail };
}

/** What a loss knows of an answer that was sampled from the model and judged. */
export interface SampledAnswer {
  /** By how much it did better than the others of its prompt. */
  readonly advantage: number;
  /** Of each of its tokens in the loss; 0 leaves it out. */
  readonly weight: number;
  /** Log-probabilities of its tokens when it was sampled; null where those are the model's own. */
  readonly old: Float32Array | null;
}

/** T tokens of documents that lie one after another, none of which sees another. */
export interface Batch {
  /** T token ids. */
  readonly tokens: Int32Array;
  /** T: the id of the next token of the same document where that one is a target token, else -1. */
  readonly labels: Int32Array;
  /** T: position within its document, from 0. */
  readonly positions: Int32Array;
  /** documents + 1 offsets into the T tokens, from 0 to T. */
  readonly cuSeqlens: Int32Array;
  /** Numbers in the token store. */
  readonly documents: readonly number[];
  /** Of each document. */
  readonly sides: readonly Side[];
  /** Of each document, where answers are sampled. */
  readonly answers?: readonly SampledAnswer[] | undefined;
  /** Of each document: by how much its answer is to be better than the one that follows, where rows say so. */
  readonly margins?: readonly number[] | undefined;
}

/** Everything one optimizer step reads. */
export interface StepBatches {
  readonly batches: readonly Batch[];
  /** Prompts of the step with answers of other rows; empty where nothing is estimated from them. */
  readonly divergence: readonly Batch[];
  /** Of `batches`, as the tokens below. */
  readonly targetTokens: number;
  readonly tokens: number;
  /** Passes over the data completed before this step. */
  readonly epoch: number;
  /** Number of this step within its epoch, from 0. */
  readonly index: number;
}
