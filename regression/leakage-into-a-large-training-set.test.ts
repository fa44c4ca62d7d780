/** `anneal inspect` compared the first 50,000 documents, training before validation: beyond that it reported no leakage at all. */
import { expect, test } from 'vitest';
import { inspectData } from '../packages/core/src/datasets/dataReport.ts';
import type { PreparedData } from '../packages/core/src/datasets/prepareData.ts';
import { tokenStoreOf } from '../packages/core/src/datasets/tokenStore.ts';

const documentOf = (ids: readonly number[]) => ({
  ids: Int32Array.from(ids),
  lossMask: new Uint8Array(ids.length).fill(1),
  turns: [],
});
/** A hundred tokens that no other document has in this order. */
const distinct = (seed: number): number[] => Array.from({ length: 100 }, (_, i) => (seed * 7919 + i * i * 31) % 50_021);

test('validation rows among 50,500 that are trained on are found', () => {
  const train = Array.from({ length: 50_500 }, (_, i) => documentOf([i]));
  const early = distinct(1);
  train[3] = documentOf(early);
  const last = train.at(-1) as (typeof train)[number];
  const validation = [documentOf(early.with(20, 7)), last, documentOf(distinct(2))];
  const prepared = {
    train: tokenStoreOf(train),
    validation: tokenStoreOf(validation),
    summary: {},
  } as PreparedData;
  const { leakage, nearDuplicates } = inspectData(prepared, { sequenceLen: 128, seed: 1, packs: true });
  expect(leakage).toEqual({ exact: 1, near: 1 });
  expect(nearDuplicates.compared).toBe(50_000);
});
