import { permutation } from '../random.ts';
import { packBins, packingEfficiency } from './pack.ts';
import { idOfWord, isTargetWord, type TokenStore } from './tokenStore.ts';
import type { Batch, StepBatches } from './types.ts';

/** Which documents make a step, and how they lie in batches. */
export interface StepOptions {
  readonly sequenceLen: number;
  readonly microBatchSize: number;
  readonly gradientAccumulationSteps: number;
  /** A row is a bin of up to `sequenceLen` tokens filled with several documents; otherwise it is one document. */
  readonly samplePacking: boolean;
  /** A new order of the rows in every epoch; otherwise file order. */
  readonly shuffle: boolean;
  readonly seed: number;
}

/** The steps of every epoch, each a pure function of its number: what makes a position restorable and prefetching safe. */
export interface Steps {
  readonly stepsPerEpoch: number;
  /** Tokens of the largest batch any step can have. */
  readonly maxTokens: number;
  /** Share of the rows' room that holds tokens; 1 without packing. */
  readonly packingEfficiency: number;
  /** @param epoch from 0 @param index from 0, below `stepsPerEpoch` */
  build(epoch: number, index: number): StepBatches;
}

/**
 * Rows are fixed once (bins do not change between epochs, so the number of steps does not either); an epoch orders them anew.
 * A step is `microBatchSize × gradientAccumulationSteps` rows, the last of an epoch what remains.
 */
export function planSteps(store: TokenStore, options: StepOptions): Steps {
  const { sequenceLen, microBatchSize, gradientAccumulationSteps, samplePacking, shuffle, seed } = options;
  const rowsPerStep = microBatchSize * gradientAccumulationSteps;
  const batchTokens = microBatchSize * sequenceLen;
  const fileOrder = Uint32Array.from({ length: store.count }, (_, i) => i);
  const bins = samplePacking
    ? packBins(store.lengths, shuffle ? permutation(store.count, 'pack', seed) : fileOrder, sequenceLen)
    : null;
  const rowCount = bins?.length ?? store.count;
  const row = (i: number): readonly number[] => (bins === null ? [i] : (bins[i] as number[]));

  let ordered: { epoch: number; order: Uint32Array } | undefined;
  const orderOf = (epoch: number): Uint32Array => {
    if (ordered?.epoch !== epoch) {
      const order = shuffle
        ? permutation(rowCount, 'epoch', seed, epoch)
        : Uint32Array.from({ length: rowCount }, (_, i) => i);
      ordered = { epoch, order };
    }
    return ordered.order;
  };

  return {
    stepsPerEpoch: Math.ceil(rowCount / rowsPerStep),
    maxTokens: batchTokens,
    packingEfficiency: bins === null ? 1 : packingEfficiency(store.lengths, bins, sequenceLen),
    build(epoch, index) {
      const order = orderOf(epoch).subarray(index * rowsPerStep, (index + 1) * rowsPerStep);
      if (order.length === 0) throw new RangeError(`step ${index} of an epoch of ${Math.ceil(rowCount / rowsPerStep)}`);
      const rows = Array.from(order, row);
      const batches = fitIntoBatches(store, rows, batchTokens).map((documents) => buildBatch(store, documents));
      return {
        batches,
        targetTokens: batches.reduce((sum, batch) => sum + countTargets(batch), 0),
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
function buildBatch(store: TokenStore, documents: readonly number[]): Batch {
  const total = documents.reduce((sum, document) => sum + (store.lengths[document] as number), 0);
  const batch = {
    tokens: new Int32Array(total),
    targets: new Int32Array(total).fill(-1),
    positions: new Int32Array(total),
    cuSeqlens: new Int32Array(documents.length + 1),
    rows: documents,
  };
  let at = 0;
  for (const [i, document] of documents.entries()) {
    const words = store.words(document);
    for (let j = 0; j < words.length; j++, at++) {
      const word = words[j] as number;
      batch.tokens[at] = idOfWord(word);
      batch.positions[at] = j;
      if (j > 0 && isTargetWord(word)) batch.targets[at - 1] = idOfWord(word);
    }
    batch.cuSeqlens[i + 1] = at;
  }
  return batch;
}

/** The fewest batches that best-fit finds, rows and batches in the order of the step. */
function fitIntoBatches(store: TokenStore, rows: readonly (readonly number[])[], maxTokens: number): number[][] {
  const lengths = rows.map((row) => row.reduce((sum, document) => sum + (store.lengths[document] as number), 0));
  const bins = packBins(lengths, Uint32Array.from(rows.keys()), maxTokens).map((bin) => bin.sort((a, b) => a - b));
  bins.sort((a, b) => (a[0] as number) - (b[0] as number));
  return bins.map((bin) => bin.flatMap((i) => rows[i] as number[]));
}

function countTargets({ targets }: Batch): number {
  let count = 0;
  for (const target of targets) if (target >= 0) count++;
  return count;
}
