import { expect, test } from 'vitest';
import { fillBucket } from './bucket.ts';

const batch = {
  tokens: Int32Array.of(5, 6, 7, 8, 9),
  labels: Int32Array.of(6, -1, 8, 9, -1),
  positions: Int32Array.of(0, 1, 0, 1, 2),
  cuSeqlens: Int32Array.of(0, 2, 5),
  sides: ['chosen', 'rejected'] as const,
};

test('a batch is filled up by a document without labels and by empty documents', () => {
  const filled = fillBucket(batch, 4, { T: 16, S: 17 });
  expect([...filled.tokens]).toEqual([5, 6, 7, 8, 9, 0, 0, 0]);
  expect([...filled.labels]).toEqual([6, -1, 8, 9, -1, -1, -1, -1]);
  expect([...filled.positions]).toEqual([0, 1, 0, 1, 2, 0, 1, 2]);
  expect([...filled.cuSeqlens]).toEqual([0, 2, 5, 8, 8]);
  expect(filled.sides).toEqual(['chosen', 'rejected', 'none', 'none']);
});

test('a full bucket gets empty documents only', () => {
  const three = { ...batch, cuSeqlens: Int32Array.of(0, 1, 2, 5) };
  const filled = fillBucket(three, 5, { T: 16, S: 17 });
  expect([...filled.tokens]).toEqual([...batch.tokens]);
  expect([...filled.cuSeqlens]).toEqual([0, 1, 2, 5, 5]);
});

test('no bucket reaches beyond the plan', () => {
  expect([...fillBucket(batch, 4, { T: 6, S: 4 }).cuSeqlens]).toEqual([0, 2, 5, 6]);
  expect(fillBucket(batch, 4, { T: 8, S: 3 })).toBe(batch); // no room for one more document
});

test('a device without buckets takes batches as they are', () => {
  expect(fillBucket(batch, 1, { T: 16, S: 17 })).toBe(batch);
});
