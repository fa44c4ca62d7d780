import type { Device } from '@anneal/kernels';
import type { Batch } from '../datasets/types.ts';
import { loraSpecOf, writeLora } from '../models/adapters/lora.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import { changedTensors, mergedWeights, refuseUnmergeable } from '../models/adapters/merge.ts';
import type { OpenModel } from '../models/open.ts';
import { goldenBatch, packed } from './batches.ts';
import { forward, withForwardEngine } from './forward.ts';
import type { GoldenFolder } from './golden.ts';
import { activationDifference, mismatches, type Quantity } from './quantity.ts';

/** Each label is its own token or none: the first of a sequence is never predicted, so no loss would show that it is wrong. */
export function verifyLabels(golden: GoldenFolder): Quantity {
  const tokens = golden.int32('input_ids');
  const labels = golden.int32('labels');
  return mismatches(
    'labels',
    labels,
    tokens.map((token, i) => (labels[i] === -100 ? -100 : token)),
  );
}

/** Hidden states and logits, alone and packed, as far as the folder has them; with an adapter its logits, which are called `adapted`. */
export async function verifyForward(
  golden: GoldenFolder,
  model: OpenModel,
  adapter: LoraWeights | null,
  device: Device,
  adapted = 'lora.logits',
): Promise<Quantity[]> {
  const batch = goldenBatch(golden);
  const { layerCount } = model.config;
  if (adapter) {
    const logits = await adaptedLogits(batch, model, adapter, device);
    return activationDifference(adapted, logits, golden.float32(adapted), layerCount);
  }
  const hidden = golden.names.filter((name) => name.startsWith('hidden.'));
  const wanted = [...hidden, 'logits'];
  const values = await withForwardEngine(model, null, device, batch, (engine) => forward(engine, batch, wanted));
  const quantities = wanted.flatMap((name, i) =>
    activationDifference(name, values[i] as Float32Array, byToken(golden, name), layerCount),
  );
  if (!golden.names.includes('packed.logits')) return quantities;
  const lengths = Array.from(golden.int32('packed.lengths'));
  const ids = golden.int32('packed.input_ids');
  const isWhole = lengths.every((length) => length > 0) && lengths.reduce((sum, n) => sum + n, 0) === ids.length;
  if (!isWhole) throw golden.wrongForm('packed.lengths', `does not add up to the ${ids.length} of packed.input_ids`);
  const together = packed(ids, lengths);
  const [logits] = await withForwardEngine(model, null, device, together, (engine) =>
    forward(engine, together, ['logits']),
  );
  return [
    ...quantities,
    ...activationDifference('packed.logits', logits as Float32Array, golden.float32('packed.logits'), layerCount),
  ];
}

/** Hidden states of several streams, [streams, rows, T, D] in the folder, with those of a token beside each other. */
function byToken(golden: GoldenFolder, name: string): Float32Array {
  const values = golden.float32(name);
  const [streams = 1, rows = 1, tokens = 1, size] = golden.shape(name);
  if (size === undefined) return values;
  const count = rows * tokens;
  return values.map((_, i) => {
    const [token, stream] = [Math.floor(i / (streams * size)), Math.floor(i / size) % streams];
    return values[(stream * count + token) * size + (i % size)] as number;
  });
}

/** [T, V] of the golden batch's first row. */
export async function firstRowLogits(
  golden: GoldenFolder,
  model: OpenModel,
  adapter: LoraWeights | null,
  device: Device,
): Promise<Float32Array> {
  return adaptedLogits(firstRow(golden), model, adapter, device);
}

/** [T, V] of a batch. */
export async function adaptedLogits(
  batch: Batch,
  model: OpenModel,
  adapter: LoraWeights | null,
  device: Device,
): Promise<Float32Array> {
  const lora = adapter && loraSpecOf(adapter, 0);
  return withForwardEngine(model, lora, device, batch, async (engine) => {
    if (adapter) await writeLora(engine, adapter);
    return (await forward(engine, batch, ['logits']))[0] as Float32Array;
  });
}

/** The same with the adapter folded into the weights. */
export async function mergedLogits(
  golden: GoldenFolder,
  model: OpenModel,
  adapter: LoraWeights,
  device: Device,
): Promise<Float32Array> {
  refuseUnmergeable(model, adapter);
  const batch = firstRow(golden);
  return withForwardEngine(model, null, device, batch, async (engine) => {
    for (const name of changedTensors(adapter))
      await engine.write(name, await mergedWeights(model, adapter, name), 'f32');
    return (await forward(engine, batch, ['logits']))[0] as Float32Array;
  });
}

function firstRow(golden: GoldenFolder): Batch {
  const [, length = 0] = golden.shape('input_ids');
  return packed(golden.int32('input_ids').subarray(0, length), [length]);
}
