import { dropped, type Encoded, KEPT, type Verdict } from './types.ts';

export interface JudgeOptions {
  /** Most tokens a row may have. */
  readonly sequenceLen: number;
  /** What becomes of longer ones. `raise` drops too, and `prepareData` then refuses to go on. */
  readonly excessLength: 'raise' | 'drop' | 'truncate';
}

/** A row's fate. `encoded` is what is trained, cut where the verdict says so; null when nothing is. */
export interface Judged {
  readonly verdict: Verdict;
  readonly encoded: Encoded | null;
}

/** @param isPrompt it is a question, of which nothing is trained */
export function judge(encoded: Encoded, { sequenceLen, excessLength }: JudgeOptions, isPrompt = false): Judged {
  const { length } = encoded.ids;
  if (length === 0) return { verdict: dropped('empty', 'the row has no tokens'), encoded: null };
  if (!isPrompt && countTargetTokens(encoded) === 0) {
    return { verdict: dropped('nothing_supervised', 'no token of the row is trained'), encoded: null };
  }
  if (length <= sequenceLen) return { verdict: KEPT, encoded };
  if (excessLength !== 'truncate') {
    return {
      verdict: dropped(
        'too_long',
        `${length} tokens, ${isPrompt ? 'sequence_len less max_completion_length' : 'sequence_len'} is ${sequenceLen}`,
      ),
      encoded: null,
    };
  }
  const cut = take(encoded, 0, sequenceLen);
  if (countTargetTokens(cut) === 0) {
    const detail = `what is trained lies beyond the first ${sequenceLen} of ${length} tokens`;
    return { verdict: dropped('nothing_supervised', detail), encoded: null };
  }
  return { verdict: { kind: 'truncated', from: length }, encoded: cut };
}

/** A plain text in pieces of at most `sequenceLen` tokens, which is at least 3: all of it is trained, so none need be lost. */
export function splitText(encoded: Encoded, sequenceLen: number): Encoded[] {
  const pieces: Encoded[] = [];
  for (let start = 0; start < encoded.ids.length; ) {
    // Nothing predicts the first token of a piece, so the last one must not be alone in its own.
    const leavesOne = encoded.ids.length - start === sequenceLen + 1;
    const end = start + sequenceLen - (leavesOne ? 1 : 0);
    pieces.push(take(encoded, start, end));
    start = end;
  }
  return pieces;
}

/** Target tokens; the first token of a document is none, because nothing comes before it. */
export function countTargetTokens({ lossMask }: Encoded): number {
  let count = 0;
  for (let i = 1; i < lossMask.length; i++) if (lossMask[i] === 1) count++;
  return count;
}

function take({ ids, lossMask, turns }: Encoded, start: number, end: number): Encoded {
  return {
    ids: ids.slice(start, end),
    lossMask: lossMask.slice(start, end),
    turns: turns
      .filter((turn) => turn.start < end && turn.end > start)
      .map((turn) => ({ ...turn, start: Math.max(0, turn.start - start), end: Math.min(end, turn.end) - start })),
  };
}
