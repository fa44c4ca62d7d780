import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import { permutation } from '../random.ts';
import { loaderOf, openLoader } from './loader.ts';
import { packBins, packingEfficiency } from './pack.ts';
import { evaluationBatches, planSteps, type StepOptions } from './steps.ts';
import { MANIFEST_FILE, sealManifest } from './storeManifest.ts';
import { openTokenStore, tokenStoreOf, toWords } from './tokenStore.ts';
import { TokenStoreWriter } from './tokenStoreWriter.ts';
import type { Batch, Encoded, StepBatches } from './types.ts';

fc.configureGlobal({ seed: 3407 });

/** Document i counts up from 1000·i; its last half is supervised. */
const encoded = (length: number, i: number): Encoded => ({
  ids: Int32Array.from({ length }, (_, j) => 1000 * i + j),
  lossMask: Uint8Array.from({ length }, (_, j) => (j >= length / 2 ? 1 : 0)),
  turns: [],
});
const storeOf = (lengths: readonly number[]) => tokenStoreOf(lengths.map(encoded));
const options: StepOptions = {
  sequenceLen: 64,
  microBatchSize: 2,
  gradientAccumulationSteps: 2,
  samplePacking: false,
  shuffle: true,
  seed: 3407,
};
const anyLengths = fc.array(fc.integer({ min: 2, max: 64 }), { minLength: 1, maxLength: 60 });

async function folderOf(lengths: readonly number[]): Promise<string> {
  const folder = temporaryFolder('loader');
  const writer = await TokenStoreWriter.create(folder);
  const documents = lengths.map(encoded);
  for (const [i, document] of documents.entries()) {
    await writer.append(toWords(document), document.lossMask.filter(Boolean).length, 0, i + 1);
  }
  const train = Uint32Array.from(documents.keys());
  const { sha256 } = await writer.finish(train, new Uint32Array(0));
  const counts = { tokens: writer.tokens, documents: writer.documents, train: train.length, validation: 0 };
  const manifest = sealManifest({
    version: writer.version,
    key: '',
    ...counts,
    sha256,
    files: ['a.jsonl'],
    summary: {},
  });
  writeFileSync(join(folder, MANIFEST_FILE), manifest);
  return folder;
}

function documentsOf(batch: Batch): number[][] {
  return batch.documents.map((_, i) => [...batch.tokens.subarray(batch.cuSeqlens[i], batch.cuSeqlens[i + 1])]);
}

const take = async (loader: { next(): Promise<StepBatches> }, count: number): Promise<StepBatches[]> => {
  const steps: StepBatches[] = [];
  for (let i = 0; i < count; i++) steps.push(await loader.next());
  return steps;
};

describe('packing', () => {
  it('puts every item into exactly one bin and never overfills one', () => {
    fc.assert(
      fc.property(anyLengths, (lengths) => {
        const bins = packBins(lengths, permutation(lengths.length, 1), 64);
        expect(bins.flat().sort((a, b) => a - b)).toEqual([...lengths.keys()]);
        for (const bin of bins) expect(bin.reduce((sum, i) => sum + (lengths[i] as number), 0)).toBeLessThanOrEqual(64);
      }),
    );
  });

  it('chooses the tightest bin that still fits', () => {
    // 40 and 50 open two bins (24 and 14 left); 14 must go to the second, so that 24 still finds the first.
    expect(packBins([50, 40, 24, 14], Uint32Array.of(0, 1, 2, 3), 64)).toEqual([
      [0, 3],
      [1, 2],
    ]);
  });

  it('wastes little on real lengths', () => {
    const lengths = Array.from(permutation(2000, 'lengths'), (i) => 20 + (i % 400));
    expect(packingEfficiency(lengths, packBins(lengths, permutation(2000, 2), 2048), 2048)).toBeGreaterThan(0.99);
  });

  it('takes no more memory for bins that hold everything many times over', () => {
    expect(packBins([3, 5, 4], Uint32Array.of(2, 0, 1), 2 ** 40)).toEqual([[1, 2, 0]]);
    expect(packBins([], Uint32Array.of(), 2 ** 40)).toEqual([]);
  });

  it('refuses an item that fits nowhere', () => {
    expect(() => packBins([65], Uint32Array.of(0), 64)).toThrow(RangeError);
  });
});

describe('steps', () => {
  it('gives every document once an epoch, in an order that the seed decides', () => {
    fc.assert(
      fc.property(anyLengths, fc.boolean(), fc.boolean(), (lengths, samplePacking, shuffle) => {
        const store = storeOf(lengths);
        const steps = planSteps(store, { ...options, samplePacking, shuffle });
        for (const epoch of [0, 1]) {
          const documents: number[] = [];
          for (let index = 0; index < steps.stepsPerEpoch; index++) {
            const step = steps.build(epoch, index);
            for (const batch of step.batches) {
              expect(batch.tokens.length).toBeLessThanOrEqual(steps.maxTokens);
            }
            // Which batch of a step a document lies in is free; which step is not.
            documents.push(...step.batches.flatMap((batch) => batch.documents).sort((a, b) => (shuffle ? 0 : a - b)));
          }
          expect(documents.toSorted((a, b) => a - b)).toEqual([...lengths.keys()]);
          if (!shuffle && !samplePacking) expect(documents).toEqual([...lengths.keys()]);
        }
        expect(() => steps.build(0, steps.stepsPerEpoch)).toThrow(RangeError);
      }),
    );
  });

  it('makes labels of the next target tokens of the same document, positions that restart, and exact offsets', () => {
    const store = storeOf([4, 6, 2]);
    const step = planSteps(store, { ...options, shuffle: false }).build(0, 0);
    expect(step.batches).toHaveLength(1);
    const [batch] = step.batches as [Batch];
    expect([...batch.cuSeqlens]).toEqual([0, 4, 10, 12]);
    expect([...batch.tokens]).toEqual([0, 1, 2, 3, 1000, 1001, 1002, 1003, 1004, 1005, 2000, 2001]);
    expect([...batch.positions]).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 0, 1]);
    expect([...batch.labels]).toEqual([-1, 2, 3, -1, -1, -1, 1003, 1004, 1005, -1, 2001, -1]);
    expect(step.targetTokens).toBe(6);
    expect(step.tokens).toBe(12);
  });

  it('never counts the first token of a document, which nothing predicts', () => {
    const store = tokenStoreOf([{ ids: Int32Array.of(7, 8), lossMask: Uint8Array.of(1, 1), turns: [] }]);
    const step = planSteps(store, options).build(0, 0);
    expect([...(step.batches[0] as Batch).labels]).toEqual([8, -1]);
    expect(step.targetTokens).toBe(1);
  });

  it('uses as few batches as fit', () => {
    const store = storeOf([60, 60, 60, 60]);
    const steps = planSteps(store, { ...options, shuffle: false });
    expect(steps.build(0, 0).batches.map((batch) => [...batch.documents])).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });

  it('keeps what remains as a last, smaller step', () => {
    const steps = planSteps(storeOf([5, 5, 5, 5, 5]), options);
    expect(steps.stepsPerEpoch).toBe(2);
    expect(steps.build(0, 1).tokens).toBe(5);
  });

  it('passes over all documents once for evaluation', () => {
    const batches = [...evaluationBatches(storeOf([30, 40, 60, 4]), 64)];
    expect(batches.map((batch) => [...batch.documents])).toEqual([[0], [1], [2, 3]]);
    expect(batches.flatMap(documentsOf).map((document) => document.length)).toEqual([30, 40, 60, 4]);
  });
});

describe('loader', () => {
  const lengths = Array.from({ length: 37 }, (_, i) => 3 + ((i * 17) % 60));

  it.each([false, true])(
    'gives the same steps with and without its worker (sample_packing %s)',
    async (samplePacking) => {
      const folder = await folderOf(lengths);
      const local = loaderOf(storeOf(lengths), { ...options, samplePacking });
      const stored = openLoader(folder, 'train', { ...options, samplePacking }, { worker: false });
      const threaded = openLoader(folder, 'train', { ...options, samplePacking });
      const expected = await take(local, 25);
      expect(await take(stored, 25)).toEqual(expected);
      expect(await take(threaded, 25)).toEqual(expected);
      expect(new Set(expected.map((step) => step.epoch)).size).toBeGreaterThan(2);
      await Promise.all([stored.close(), threaded.close()]);
    },
  );

  it('continues exactly where a saved state was taken', async () => {
    const folder = await folderOf(lengths);
    const loader = openLoader(folder, 'train', options);
    await take(loader, 7);
    const state = structuredClone(loader.state());
    const expected = await take(loader, 8);
    const other = openLoader(folder, 'train', options);
    await take(other, 2);
    other.restore(state);
    expect(await take(other, 8)).toEqual(expected);
    await Promise.all([loader.close(), other.close()]);
  });

  it('refuses a position that does not exist', () => {
    const loader = loaderOf(storeOf(lengths), options);
    expect(() => loader.restore({ epoch: 0, index: loader.stepsPerEpoch })).toThrow(RangeError);
    expect(() => loader.restore({ epoch: -1, index: 0 })).toThrow(RangeError);
  });

  it('passes a failure of the worker on to whoever waits, and to everyone after', async () => {
    const folder = await folderOf(lengths);
    const loader = openLoader(folder, 'train', options);
    await loader.close();
    await expect(loader.next()).rejects.toThrow('closed');
    await expect(loader.next()).rejects.toThrow('closed');
  });

  it('reports a damaged cache', async () => {
    const folder = await folderOf(lengths);
    writeFileSync(join(folder, 'tokens.bin'), 'short');
    expect(() => openTokenStore(folder, 'train')).toThrow(/speaks of/);
  });
});
