import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import type { ChatRenderer } from './chatRenderer.ts';
import { encode } from './encode.ts';
import type { RowReader } from './formats/index.ts';
import { type JudgeOptions, judge, splitText } from './judge.ts';
import { type MaskOptions, render } from './render.ts';
import {
  type Content,
  type Conversation,
  dropped,
  type Encoded,
  KEPT,
  type RawRow,
  type Rendered,
  type Verdict,
} from './types.ts';
import { unreadFields } from './unreadColumns.ts';

/** Everything that decides what becomes of a row. */
export interface ProcessOptions extends JudgeOptions {
  readonly reader: RowReader;
  readonly renderer: ChatRenderer | null;
  readonly tokenizer: Tokenizer;
  readonly mask: MaskOptions;
}

/** A row with its history: as far as it came, and why not further. */
export interface ProcessedRow {
  readonly row: RawRow;
  /** What the row says, where its format is understood. */
  readonly content: Content | null;
  readonly rendered: Rendered | null;
  /** All its tokens, whatever the verdict. */
  readonly encoded: Encoded | null;
  /** What is trained: one document, for a long plain text several, none for a dropped row. */
  readonly documents: readonly Encoded[];
  readonly verdict: Verdict;
  /** Columns that hold something and are not read, and such fields of messages. */
  readonly unread: readonly string[];
}

/**
 * `render → encode → judge` for some rows, in order. `prepareData` and the inspector both call this and nothing else,
 * so that what is shown is what is trained.
 */
export async function processRows(options: ProcessOptions, rows: readonly RawRow[]): Promise<ProcessedRow[]> {
  const { reader, renderer, tokenizer, mask } = options;
  const unreadBy = rows.map(({ value }) => reader.unread(value));
  const contents: (Content | null)[] = rows.map(() => null);
  const rendered = rows.map(({ value, fault, disordered }, i) => {
    if (fault !== undefined) return dropped('malformed_row', fault);
    const content = reader.read(value);
    if (content.kind === 'dropped') return content;
    contents[i] = content;
    if (disordered && content.kind === 'chat' && printsObjects(content)) {
      return dropped('malformed_row', 'keys that are numbers stand in an order that would be lost in what is printed');
    }
    if (content.kind === 'chat' && renderer !== null) unreadBy[i]?.push(...unreadFields(content, renderer));
    return render(renderer, content, mask);
  });
  const readable = rendered.filter((result) => result.kind !== 'dropped');
  const encoded = (await encode(tokenizer, readable)).values();
  return rows.map((row, i): ProcessedRow => {
    const result = rendered[i] as (typeof rendered)[number];
    const before = { row, content: contents[i] as Content | null, unread: unreadBy[i] as string[] };
    if (result.kind === 'dropped') return { ...before, rendered: null, encoded: null, documents: [], verdict: result };
    const tokens = encoded.next().value as Encoded | (Verdict & { kind: 'dropped' });
    if ('kind' in tokens) return { ...before, rendered: result, encoded: null, documents: [], verdict: tokens };
    return { ...before, rendered: result, encoded: tokens, ...decide(result, tokens, options) };
  });
}

function decide(
  rendered: Rendered,
  encoded: Encoded,
  options: JudgeOptions,
): Pick<ProcessedRow, 'documents' | 'verdict'> {
  if (rendered.kind === 'text' && encoded.ids.length > options.sequenceLen) {
    return { documents: splitText(encoded, options.sequenceLen), verdict: KEPT };
  }
  const judged = judge(encoded, options);
  return { documents: judged.encoded === null ? [] : [judged.encoded], verdict: judged.verdict };
}

const printsObjects = ({ messages, tools }: Conversation): boolean =>
  tools !== null || messages.some(({ tool_calls: calls }) => calls !== undefined);
