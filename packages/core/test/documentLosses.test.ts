import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planSteps } from '../src/datasets/steps.ts';
import { openTokenStore } from '../src/datasets/tokenStore.ts';
import type { Recipe } from '../src/recipe/schema.ts';
import { DocumentLosses, documentLosses, readDocumentLosses } from '../src/trainer/documentLosses.ts';
import { temporaryFolder } from './fixtures.ts';
import { eventsOf, type FinishedRun, tinyRecipe, trainHere } from './runs.ts';

/** Of each recorded step: its loss, and the mean over its target tokens of what is recorded for its documents. */
function lossesByStep(run: FinishedRun, recipe: Recipe): { recorded: number; ofDocuments: number }[] {
  const store = openTokenStore(join(run.path, 'data'), 'train');
  const steps = planSteps(store, {
    sequenceLen: recipe.sequence_len as number,
    microBatchSize: recipe.micro_batch_size as number,
    gradientAccumulationSteps: recipe.gradient_accumulation_steps as number,
    samplePacking: recipe.sample_packing ?? false,
    shuffle: recipe.shuffle ?? true,
    seed: recipe.seed ?? 42,
  });
  try {
    return eventsOf(run, 'step').map(({ step, loss }) => {
      const epoch = Math.floor((step - 1) / steps.stepsPerEpoch);
      const { batches, targetTokens } = steps.build(epoch, (step - 1) % steps.stepsPerEpoch);
      const documents = batches.flatMap((batch) => batch.documents);
      const losses = readDocumentLosses(run.path, { count: store.count, epoch, documents }) as number[];
      const sum = losses.reduce(
        (total, mean, i) => total + mean * (store.targetCounts[documents[i] as number] ?? 0),
        0,
      );
      return { recorded: loss as number, ofDocuments: sum / targetTokens };
    });
  } finally {
    store.close();
  }
}

test.each<[string, Partial<Recipe>]>([
  ['one document a row of the batch', {}],
  ['packed', { sample_packing: true, sequence_len: 128, lora_dropout: 0.1 }],
])('the losses of the documents of a step make up its loss: %s', async (_, changes) => {
  const recipe = tinyRecipe(temporaryFolder(), { seed: 7, max_steps: 14, saves_per_epoch: 0, ...changes });
  const run = await trainHere(recipe);
  const losses = lossesByStep(run, recipe);
  expect(losses).toHaveLength(14);
  for (const { recorded, ofDocuments } of losses) expect(ofDocuments).toBeCloseTo(recorded, 5);
});

const batch = {
  tokens: Int32Array.of(1, 2, 3, 4, 5),
  labels: Int32Array.of(2, -1, 4, 5, -1),
  positions: Int32Array.of(0, 1, 0, 1, 2),
  cuSeqlens: Int32Array.of(0, 2, 5),
  documents: [3, 1],
  sides: ['none', 'none'] as const,
};
const step = { batches: [batch], divergence: [], targetTokens: 3, tokens: 5, epoch: 1, index: 0 };

test('a document without target tokens has no loss', () => {
  const untrained = { ...batch, labels: Int32Array.of(-1, -1, 4, 5, -1) };
  expect(documentLosses(untrained, Float64Array.of(1, 3))).toEqual([{ document: 1, loss: 2 }]);
});

test('what was not trained, and what is not finite, is told apart from a loss of 0', () => {
  const folder = temporaryFolder();
  const read = (epoch: number) => readDocumentLosses(folder, { count: 4, epoch, documents: [0, 1, 2, 3] });
  expect(read(0)).toEqual([undefined, undefined, undefined, undefined]);
  using losses = new DocumentLosses(folder, 4, 1);
  losses.record(step, [Float64Array.of(0, Number.NaN, 1)]);
  expect(read(0)).toEqual([undefined, undefined, undefined, undefined]);
  expect(read(1)).toEqual([undefined, null, undefined, 0]);
  expect(read(2)).toEqual([undefined, undefined, undefined, undefined]);
});

test('a step that is repeated by another launch leaves the file as it was, also after half a write', () => {
  const folder = temporaryFolder();
  const path = join(folder, 'losses.bin');
  const write = () => {
    using losses = new DocumentLosses(folder, 4, 1);
    losses.record(step, [Float64Array.of(0.5, 1, 2)]);
  };
  write();
  const whole = readFileSync(path);
  expect(whole).toHaveLength(4 * 4 * 2);
  write();
  expect(readFileSync(path)).toEqual(whole);
  writeFileSync(path, whole.subarray(0, 21));
  write();
  expect(readFileSync(path)).toEqual(whole);
  // What stands behind the epoch that the launch goes on with is no loss of it.
  writeFileSync(path, Buffer.concat([whole, Buffer.alloc(1001)]));
  write();
  expect(readFileSync(path)).toEqual(whole);
});
