import type { Batch } from '../datasets/types.ts';
import type { GoldenFolder } from './golden.ts';

/** The golden batch: its sequences as documents of one batch. */
export function goldenBatch(golden: GoldenFolder): Batch {
  const [sequences = 0, length = 0, ...more] = golden.shape('input_ids');
  const labels = golden.int32('labels');
  if (more.length > 0 || sequences * length === 0) throw golden.wrongForm('input_ids', 'is not [sequences, length]');
  if (labels.length !== sequences * length) throw golden.wrongForm('labels', 'is not as large as input_ids');
  const lengths = Array.from({ length: sequences }, () => length);
  const batch = packed(golden.int32('input_ids'), lengths);
  for (let t = 0; t < labels.length; t++) {
    const label = t % length === length - 1 ? -100 : (labels[t + 1] as number);
    batch.labels[t] = label < 0 ? -1 : label;
  }
  return batch;
}

/** Sequences one after another as documents of one batch, without labels. */
export function packed(tokens: Int32Array, lengths: readonly number[]): Batch {
  const cuSeqlens = new Int32Array(lengths.length + 1);
  for (const [i, length] of lengths.entries()) cuSeqlens[i + 1] = (cuSeqlens[i] as number) + length;
  const positions = Int32Array.from(lengths.flatMap((length) => Array.from({ length }, (_, i) => i)));
  return {
    tokens,
    positions,
    cuSeqlens,
    labels: new Int32Array(tokens.length).fill(-1),
    documents: lengths.map((_, i) => i),
    sides: lengths.map(() => 'none'),
  };
}

/** The same text in other words: every token but the first three, which may be special, is another of the vocabulary. */
export function reworded(batch: Batch, by: number, vocabSize: number): Batch {
  const first = 3;
  const other = (id: number) => (id < first ? id : first + ((id - first + by) % (vocabSize - first)));
  return { ...batch, tokens: batch.tokens.map(other), labels: batch.labels.map(other) };
}
