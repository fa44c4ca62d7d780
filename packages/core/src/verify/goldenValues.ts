import type { Device, HostArray } from '@anneal/kernels';
import type { Batch } from '../datasets/types.ts';
import { loraSpecOf, writeLora } from '../models/adapters/lora.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import type { OpenModel } from '../models/open.ts';
import { forward, type Precision, withForwardEngine } from './forward.ts';
import type { GoldenFolder } from './golden.ts';
import { openTraining, stepOf } from './goldenTraining.ts';
import { gradientInOurs, gradientVariable } from './gradientNames.ts';
import { nmse, relativeDifference } from './quantity.ts';

/** What one text gives, in our order of elements; gradients by their names in golden.safetensors. */
export interface TextValues {
  readonly logits: ArrayLike<number>;
  readonly loss: number;
  readonly gradients: ReadonlyMap<string, ArrayLike<number>>;
}

/** NMSE, of the loss the relative difference. */
export interface TextErrors {
  readonly logits: number;
  readonly loss: number;
  readonly gradients: ReadonlyMap<string, number>;
}

export interface GoldenRun {
  readonly golden: GoldenFolder;
  readonly model: OpenModel;
  readonly adapter: LoraWeights | null;
  readonly device: Device;
  /** As large as the golden batch. */
  readonly batches: readonly Batch[];
}

/** @param prefix `lora.` with the adapter, else nothing */
export function goldenValues(golden: GoldenFolder, model: OpenModel, prefix: string): TextValues {
  const gradients = gradientsOf(golden, prefix).map((name) => {
    return [name, gradientInOurs(model, gradientVariable(model, name), golden.float32(name))] as const;
  });
  const [loss = Number.NaN] = golden.float32(`${prefix}loss`);
  return { logits: golden.float32(`${prefix}logits`), loss, gradients: new Map(gradients) };
}

/** What the engine gives for each batch. */
export async function valuesOf(
  { golden, model, adapter, device, batches }: GoldenRun,
  precision: Precision,
): Promise<TextValues[]> {
  const [first] = batches;
  if (!first) return [];
  const readLogits = async (engine: Parameters<typeof forward>[0]) => {
    if (adapter) await writeLora(engine, adapter);
    const all: Float32Array[] = [];
    for (const batch of batches) all.push((await forward(engine, batch, ['logits']))[0] as Float32Array);
    return all;
  };
  const lora = adapter && loraSpecOf(adapter, 0);
  const logits = await withForwardEngine(model, lora, device, first, readLogits, precision);
  await using training = await openTraining(golden, model, adapter, device, precision);
  const names = gradientsOf(golden, adapter ? 'lora.' : '');
  const values: TextValues[] = [];
  for (const [i, batch] of batches.entries()) {
    const { loss } = await training.step(stepOf(batch), { step: i + 1, learningRate: 0, seed: 0 });
    const gradients = new Map<string, HostArray>();
    for (const name of names)
      gradients.set(name, (await training.engine.read(gradientVariable(model, name))) as HostArray);
    values.push({ logits: logits[i] as Float32Array, loss, gradients });
  }
  return values;
}

function gradientsOf(golden: GoldenFolder, prefix: string): string[] {
  return golden.names.filter((name) => name.startsWith(`${prefix}grad.`));
}

export function errorsOf(ours: TextValues, reference: TextValues): TextErrors {
  const gradients = [...reference.gradients].map(([name, values]) => {
    return [name, nmse(name, ours.gradients.get(name) ?? [], values, 0).error] as const;
  });
  return {
    logits: nmse('logits', ours.logits, reference.logits, 0).error,
    loss: relativeDifference('loss', [ours.loss], [reference.loss], 0).error,
    gradients: new Map(gradients),
  };
}

/** Quantity by quantity. */
export function medians(errors: readonly TextErrors[]): TextErrors {
  const names = errors[0]?.gradients.keys() ?? [];
  return {
    logits: median(errors.map(({ logits }) => logits)),
    loss: median(errors.map(({ loss }) => loss)),
    gradients: new Map(
      [...names].map((name) => [name, median(errors.map(({ gradients }) => gradients.get(name) ?? Number.NaN))]),
    ),
  };
}

/** NaN where one is. */
function median(values: readonly number[]): number {
  if (values.some(Number.isNaN)) return Number.NaN;
  const sorted = values.toSorted((a, b) => a - b);
  const [low = Number.NaN, high = Number.NaN] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return (low + high) / 2;
}
