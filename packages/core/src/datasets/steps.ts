import { permutation } from '../random.ts';
import { packBins, packingEfficiency } from './pack.ts';
import { idOfWord, isTargetWord, type TokenStore } from './tokenStore.ts';
import type { Batch, StepBatches } from './types.ts';

/** Which documents make a step, and how they lie in batches. */
export interface StepOptions {
  readonly sequenceLen: number;
  readonly microBatchSize: number;
  readonly gradientAccumulationSteps: number;
  /** A bin holds several documents, up to `sequenceLen` tokens; otherwise one. */
  readonly samplePacking: boolean;
  /** A new order of the bins in every epoch; otherwise file order. */
  readonly shuffle: boolean;
  readonly seed: number;
}

/** The steps of every epoch, each a pure function of its number: what makes a position restorable and prefetching safe. */
export interface Steps {
  readonly stepsPerEpoch: number;
  /** Tokens of the largest batch any step can have. */
  readonly maxTokens: number;
  /** Share of the bins' room that holds tokens; 1 without packing. */
  readonly packingEfficiency: number;
  /** @param epoch from 0 @param index from 0, below `stepsPerEpoch` */
  build(epoch: number, index: number): StepBatches;
}

/**
 * Bins are filled once, so that every epoch has as many steps; an epoch orders them anew. A step is
 * `microBatchSize × gradientAccumulationSteps` bins, the last of an epoch what remains.
 */
export function planSteps(store: TokenStore, options: StepOptions): Steps {
  const { sequenceLen, microBatchSize, gradientAccumulationSteps, samplePacking, shuffle, seed } = options;
  const binsPerStep = microBatchSize * gradientAccumulationSteps;
  const batchTokens = microBatchSize * sequenceLen;
  const fileOrder = Uint32Array.from({ length: store.count }, (_, i) => i);
  const packed = samplePacking
    ? packBins(store.lengths, shuffle ? permutation(store.count, 'pack', seed) : fileOrder, sequenceLen)
    : null;
  const binCount = packed?.length ?? store.count;
  const bin = (i: number): readonly number[] => (packed === null ? [i] : (packed[i] as number[]));

  let ordered: { epoch: number; order: Uint32Array } | undefined;
  const orderOf = (epoch: number): Uint32Array => {
    if (ordered?.epoch !== epoch) {
      const order = shuffle
        ? permutation(binCount, 'epoch', seed, epoch)
        : Uint32Array.from({ length: binCount }, (_, i) => i);
      ordered = { epoch, order };
    }
    return ordered.order;
  };

  return {
    stepsPerEpoch: Math.ceil(binCount / binsPerStep),
    maxTokens: batchTokens,
    packingEfficiency: packed === null ? 1 : packingEfficiency(store.lengths, packed, sequenceLen),
    build(epoch, index) {
      const order = orderOf(epoch).subarray(index * binsPerStep, (index + 1) * binsPerStep);
      if (order.length === 0) throw new RangeError(`step ${index} of an epoch of ${Math.ceil(binCount / binsPerStep)}`);
      const bins = Array.from(order, bin);
      const batches = fitIntoBatches(store, bins, batchTokens).map((documents) => buildBatch(store, documents));
      return {
        batches,
        targetTokens: batches.reduce((sum, batch) => sum + countLabels(batch), 0),
        tokens: batches.reduce((sum, batch) => sum + batch.tokens.length, 0),
        epoch,
        index,
      };
    },
  };
}

/** One pass over all documents in file order, for measuring the loss: as few batches of at most `maxTokens` as fit. */
export function* evaluationBatches(store: TokenStore, maxTokens: number): Generator<Batch> {
  let documents: number[] = [];
  let tokens = 0;
  for (let document = 0; document < store.count; document++) {
    const length = store.lengths[document] as number;
    if (tokens + length > maxTokens && documents.length > 0) {
      yield buildBatch(store, documents);
      documents = [];
      tokens = 0;
    }
    documents.push(document);
    tokens += length;
  }
  if (documents.length > 0) yield buildBatch(store, documents);
}

/** Lays documents one after another. The sums over a step do not depend on how its documents are spread over batches. */
export function buildBatch(store: TokenStore, documents: readonly number[]): Batch {
  const total = documents.reduce((sum, document) => sum + (store.lengths[document] as number), 0);
  const batch = {
    tokens: new Int32Array(total),
    labels: new Int32Array(total).fill(-1),
    positions: new Int32Array(total),
    cuSeqlens: new Int32Array(documents.length + 1),
    documents,
  };
  let at = 0;
  for (const [i, document] of documents.entries()) {
    const words = store.words(document);
    for (let j = 0; j < words.length; j++, at++) {
      const word = words[j] as number;
      batch.tokens[at] = idOfWord(word);
      batch.positions[at] = j;
      if (j > 0 && isTargetWord(word)) batch.labels[at - 1] = idOfWord(word);
    }
    batch.cuSeqlens[i + 1] = at;
  }
  return batch;
}

/** The documents of each batch: as few batches as best-fit finds, with bins and batches in the order of the step. */
function fitIntoBatches(store: TokenStore, bins: readonly (readonly number[])[], maxTokens: number): number[][] {
  const lengths = bins.map((bin) => bin.reduce((sum, document) => sum + (store.lengths[document] as number), 0));
  const order = Uint32Array.from(bins.keys());
  const batches = packBins(lengths, order, maxTokens).map((batch) => batch.sort((a, b) => a - b));
  batches.sort((a, b) => (a[0] as number) - (b[0] as number));
  return batches.map((batch) => batch.flatMap((i) => bins[i] as number[]));
}

/** Target tokens of a batch. */
export function countLabels({ labels }: Pick<Batch, 'labels'>): number {
  let count = 0;
  for (const label of labels) if (label >= 0) count++;
  return count;
}
