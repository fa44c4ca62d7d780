import type { Bounds } from '@anneal/kernels';
import type { Batch } from '../datasets/types.ts';

type Rows = Pick<Batch, 'tokens' | 'labels' | 'positions' | 'cuSeqlens' | 'sides' | 'answers' | 'margins'>;

/**
 * The batch filled up to a multiple of `bucketTokens` tokens by a document of its own, without labels, and to a power of two of
 * documents by empty ones, so that a device meets few extents and can repeat its launches. No document sees another one, and what
 * has no label adds nothing to a gradient. Unchanged where the plan has no room for it.
 */
export function fillBucket<B extends Rows>(batch: B, bucketTokens: number, bounds: Bounds): B | Rows {
  if (bucketTokens === 1) return batch;
  const count = batch.tokens.length;
  const tokens = Math.min(Math.ceil(count / bucketTokens) * bucketTokens, bounds.T ?? count);
  const filled = batch.cuSeqlens.length - 1 + (tokens > count ? 1 : 0);
  const most = (bounds.S ?? 0) - 1;
  const documents = Math.min(2 ** Math.ceil(Math.log2(filled)), most);
  if (filled > most || count === 0) return batch;
  const end = new Int32Array(documents + 1).fill(tokens);
  end.set(batch.cuSeqlens);
  return {
    tokens: extended(batch.tokens, tokens, () => 0),
    labels: extended(batch.labels, tokens, () => -1),
    positions: extended(batch.positions, tokens, (t) => t - count),
    cuSeqlens: end,
    sides: Array.from({ length: documents }, (_, d) => batch.sides[d] ?? 'none'),
    answers: batch.answers,
    margins: batch.margins,
  };
}

function extended(values: Int32Array, length: number, valueAt: (index: number) => number): Int32Array {
  return Int32Array.from({ length }, (_, t) => values[t] ?? valueAt(t));
}
