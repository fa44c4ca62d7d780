import { permutation } from '../random.ts';
import { buildBatch, countLabels } from './batch.ts';
import { divergenceBatches } from './divergence.ts';
import { packBins, packingEfficiency } from './pack.ts';
import type { TokenStore } from './tokenStore.ts';
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
  /** Documents that a row has, 1 where nothing is said. A bin takes so many times `sequenceLen` tokens, and no row is torn. */
  readonly answersPerRow?: 1 | 2;
  /** A step also gets its prompts with answers of other rows. */
  readonly divergence?: boolean;
}

/** Tokens of the largest batch any step can have, whatever the rows. */
export function mostTokens({ sequenceLen, microBatchSize, answersPerRow = 1 }: StepOptions): number {
  return microBatchSize * sequenceLen * answersPerRow;
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
  const { answersPerRow = 1, divergence = false } = options;
  const binsPerStep = microBatchSize * gradientAccumulationSteps;
  const binTokens = sequenceLen * answersPerRow;
  const batchTokens = mostTokens(options);
  const lengths = rowLengths(store, answersPerRow);
  const fileOrder = Uint32Array.from({ length: lengths.length }, (_, i) => i);
  const packed = samplePacking
    ? packBins(lengths, shuffle ? permutation(lengths.length, 'pack', seed) : fileOrder, binTokens)
    : null;
  const binCount = packed?.length ?? lengths.length;
  const bin = (i: number): readonly number[] => {
    const rows = packed === null ? [i] : (packed[i] as number[]);
    return rows.flatMap((row) => documentsOfRow(row, answersPerRow));
  };

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
    packingEfficiency: packed === null ? 1 : packingEfficiency(lengths, packed, binTokens),
    build(epoch, index) {
      const order = orderOf(epoch).subarray(index * binsPerStep, (index + 1) * binsPerStep);
      if (order.length === 0) throw new RangeError(`step ${index} of an epoch of ${Math.ceil(binCount / binsPerStep)}`);
      const bins = Array.from(order, bin);
      const batches = fitIntoBatches(store, bins, batchTokens).map((documents) => buildBatch(store, documents));
      const documents = batches.flatMap((batch) => batch.documents);
      return {
        batches,
        divergence: divergence ? divergenceBatches(store, documents, sequenceLen, batchTokens) : [],
        targetTokens: batches.reduce((sum, batch) => sum + countLabels(batch), 0),
        tokens: batches.reduce((sum, batch) => sum + batch.tokens.length, 0),
        epoch,
        index,
      };
    },
  };
}

/** One pass over all documents in file order, for measuring the loss: as few batches of at most `maxTokens` as fit. */
export function* evaluationBatches(store: TokenStore, maxTokens: number, answersPerRow: 1 | 2 = 1): Generator<Batch> {
  const lengths = rowLengths(store, answersPerRow);
  let documents: number[] = [];
  let tokens = 0;
  for (const [row, length] of lengths.entries()) {
    if (tokens + length > maxTokens && documents.length > 0) {
      yield buildBatch(store, documents);
      documents = [];
      tokens = 0;
    }
    documents.push(...documentsOfRow(row, answersPerRow));
    tokens += length;
  }
  if (documents.length > 0) yield buildBatch(store, documents);
}

/** Tokens of each row: of all its documents. */
export function rowLengths({ lengths }: TokenStore, answersPerRow: 1 | 2): Uint32Array {
  if (answersPerRow === 1) return lengths;
  return Uint32Array.from({ length: lengths.length / 2 }, (_, row) => {
    return (lengths[2 * row] as number) + (lengths[2 * row + 1] as number);
  });
}

const documentsOfRow = (row: number, answersPerRow: 1 | 2): number[] =>
  answersPerRow === 1 ? [row] : [2 * row, 2 * row + 1];

/** The documents of each batch: as few batches as best-fit finds, with bins and batches in the order of the step. */
function fitIntoBatches(store: TokenStore, bins: readonly (readonly number[])[], maxTokens: number): number[][] {
  const lengths = bins.map((bin) => bin.reduce((sum, document) => sum + (store.lengths[document] as number), 0));
  const order = Uint32Array.from(bins.keys());
  const batches = packBins(lengths, order, maxTokens).map((batch) => batch.sort((a, b) => a - b));
  batches.sort((a, b) => (a[0] as number) - (b[0] as number));
  return batches.map((batch) => batch.flatMap((i) => bins[i] as number[]));
}
