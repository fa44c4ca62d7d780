import { isDeepStrictEqual } from 'node:util';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import type { ChatRenderer } from './chatRenderer.ts';
import { encode } from './encode.ts';
import { ofSide } from './formats/answers.ts';
import type { AnswerReader, RowReader } from './formats/index.ts';
import { type JudgeOptions, judge, splitText } from './judge.ts';
import { PROVENANCE_COLUMN } from './provenance.ts';
import { type MaskOptions, render } from './render.ts';
import {
  type Content,
  type Conversation,
  type Dropped,
  dropped,
  type Encoded,
  KEPT,
  type RawRow,
  type Rendered,
  type Side,
  type Verdict,
} from './types.ts';
import { unreadFields } from './unreadColumns.ts';

/** Everything that decides what becomes of a row. */
export interface ProcessOptions extends JudgeOptions {
  readonly reader: RowReader | AnswerReader;
  readonly renderer: ChatRenderer | null;
  readonly tokenizer: Tokenizer;
  readonly mask: MaskOptions;
}

/** What one text of a row became, as far as it came. */
export interface ProcessedPart {
  /** What it says, where its format is understood. */
  readonly content: Content | null;
  readonly rendered: Rendered | null;
  /** All its tokens, whatever the verdict. */
  readonly encoded: Encoded | null;
}

/** A row with its history: as far as it came, and why not further. Of a pair the chosen answer is the row's own. */
export interface ProcessedRow extends ProcessedPart {
  readonly row: RawRow;
  /** Of a pair. */
  readonly rejected: ProcessedPart | null;
  /** What is trained: one document, for a long plain text several, for a pair two, none for a dropped row. */
  readonly documents: readonly Encoded[];
  readonly verdict: Verdict;
  /** Columns that hold something and are not read, and such fields of messages. */
  readonly unread: readonly string[];
}

interface Part {
  readonly side: Side;
  readonly margin?: number | undefined;
  readonly content: Content;
  readonly rendered: Rendered | Dropped;
}

/**
 * `render → encode → judge` for some rows, in order. `prepareData` and the inspector both call this and nothing else,
 * so that what is shown is what is trained.
 */
export async function processRows(options: ProcessOptions, rows: readonly RawRow[]): Promise<ProcessedRow[]> {
  const { reader, renderer, tokenizer, mask } = options;
  const unreadBy = rows.map(({ value }) => reader.unread(value).filter((column) => column !== PROVENANCE_COLUMN));
  const partsBy = rows.map(({ value, fault, disordered }, i): Part[] | Dropped => {
    if (fault !== undefined) return dropped('malformed_row', fault);
    const read = contentsOf(reader.read(value));
    if ('kind' in read) return read;
    return read.map(({ side, content, margin }) => {
      const isLost = disordered && content.kind === 'chat' && printsObjects(content);
      if (isLost) return { side, content, rendered: dropped('malformed_row', DISORDERED) };
      if (content.kind === 'chat' && renderer !== null) unreadBy[i]?.push(...unreadFields(content, renderer));
      return { side, margin, content, rendered: render(renderer, content, mask) };
    });
  });
  const rendered = partsBy.flatMap((parts) => ('kind' in parts ? [] : parts.map((part) => part.rendered)));
  const readable = rendered.filter((result) => result.kind !== 'dropped');
  const encoded = (await encode(tokenizer, readable)).values();
  return rows.map((row, i): ProcessedRow => {
    const parts = partsBy[i] as Part[] | Dropped;
    const before = { row, unread: [...new Set(unreadBy[i])] };
    if ('kind' in parts) return { ...before, ...nothing, rejected: null, documents: [], verdict: parts };
    const tokens = parts.map(({ rendered: result }) => (result.kind === 'dropped' ? null : encoded.next().value));
    const [first = nothing, second = null] = parts.map((part, at) => processedPart(part, tokens[at] ?? null));
    const failure = parts.flatMap((part, at) => failureOf(part, tokens[at] ?? null, parts.length > 1))[0];
    const history = { ...before, ...first, rejected: second };
    if (failure) return { ...history, documents: [], verdict: failure };
    return { ...history, ...decide(parts, tokens as Encoded[], options) };
  });
}

const nothing: ProcessedPart = { content: null, rendered: null, encoded: null };
const DISORDERED = 'keys that are numbers stand in an order that would be lost in what is printed';

function contentsOf(read: ReturnType<(RowReader | AnswerReader)['read']>): Omit<Part, 'rendered'>[] | Dropped {
  if (!('kind' in read)) return [...read];
  return read.kind === 'dropped' ? read : [{ side: 'none', content: read }];
}

function processedPart({ content, rendered }: Part, tokens: Encoded | Dropped | null): ProcessedPart {
  return {
    content,
    rendered: rendered.kind === 'dropped' ? null : rendered,
    encoded: tokens === null || 'kind' in tokens ? null : tokens,
  };
}

/** Why nothing of this part can be trained. */
function failureOf({ side, rendered }: Part, tokens: Encoded | Dropped | null, ofPair: boolean): Dropped[] {
  const failure = rendered.kind === 'dropped' ? rendered : tokens !== null && 'kind' in tokens ? tokens : null;
  if (failure === null) return [];
  return [ofPair ? ofSide(side, failure) : failure];
}

function decide(
  parts: readonly Part[],
  encoded: readonly Encoded[],
  options: JudgeOptions,
): Pick<ProcessedRow, 'documents' | 'verdict'> {
  const [only, other] = encoded as [Encoded, Encoded?];
  if (!other && parts[0]?.rendered.kind === 'text' && only.ids.length > options.sequenceLen) {
    return { documents: splitText(only, options.sequenceLen), verdict: KEPT };
  }
  const judged = encoded.map((one, i) => judge(one, options, isPrompt(parts[i]?.content)));
  for (const [i, { verdict }] of judged.entries()) {
    const side = other ? (parts[i]?.side ?? 'none') : 'none';
    if (verdict.kind === 'dropped') return { documents: [], verdict: ofSide(side, verdict) };
  }
  const documents = judged.map((one, i): Encoded => {
    const { side = 'none', margin } = parts[i] ?? {};
    const encodedPart = one.encoded as Encoded;
    return side === 'none' ? encodedPart : { ...encodedPart, side, ...(margin !== undefined && { margin }) };
  });
  const [better, worse] = documents as [Encoded, Encoded?];
  if (worse && isDeepStrictEqual(better.ids, worse.ids)) {
    return { documents: [], verdict: dropped('answers_equal', 'both answers have the same tokens') };
  }
  const cut = judged.map(({ verdict }) => verdict).findLast(({ kind }) => kind === 'truncated');
  return { documents, verdict: cut ?? KEPT };
}

const isPrompt = (content: Content | undefined): boolean => content?.kind === 'chat' && content.isPrompt === true;

const printsObjects = ({ messages, tools }: Conversation): boolean =>
  tools !== null ||
  messages.some(({ content, tool_calls: calls }) => calls !== undefined || typeof content === 'object');
