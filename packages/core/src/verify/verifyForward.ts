import type { Device } from '@anneal/kernels';
import { loraSpecOf, writeLora } from '../models/adapters/lora.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
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

/** Hidden states and logits, alone and packed, as far as the folder has them; with an adapter its logits. */
export async function verifyForward(
  golden: GoldenFolder,
  model: OpenModel,
  adapter: LoraWeights | null,
  device: Device,
): Promise<Quantity[]> {
  const batch = goldenBatch(golden);
  const { layerCount } = model.config;
  if (adapter) {
    const [logits] = await withForwardEngine(model, loraSpecOf(adapter, 0), device, batch, async (engine) => {
      await writeLora(engine, adapter.modules);
      return forward(engine, batch, ['logits']);
    });
    return activationDifference('lora.logits', logits as Float32Array, golden.float32('lora.logits'), layerCount);
  }
  const hidden = golden.names.filter((name) => name.startsWith('hidden.'));
  const wanted = [...hidden, 'logits'];
  const values = await withForwardEngine(model, null, device, batch, (engine) => forward(engine, batch, wanted));
  const quantities = wanted.flatMap((name, i) =>
    activationDifference(name, values[i] as Float32Array, golden.float32(name), layerCount),
  );
  if (!golden.names.includes('packed.logits')) return quantities;
  const lengths = Array.from(golden.int32('packed.lengths'));
  const together = packed(golden.int32('packed.input_ids'), lengths);
  const [logits] = await withForwardEngine(model, null, device, together, (engine) =>
    forward(engine, together, ['logits']),
  );
  return [
    ...quantities,
    ...activationDifference('packed.logits', logits as Float32Array, golden.float32('packed.logits'), layerCount),
  ];
}
