import { decodeNf4 } from '@anneal/formats/bitsandbytes/nf4';
import { elementCount, type RowRange } from '@anneal/formats/tensor';
import type { ModelTensor, OpenModel } from '../model.ts';
import { quantized } from '../nf4.ts';
import { isBias, linearOf } from './full.ts';
import { type LoraWeights, moduleScale } from './loraWeights.ts';
import type { TokenRows } from './tokens.ts';

/**
 * A tensor of the model as it is where `adapter` is: what was trained in full, a bias with that of lora_B, rows of tokens; in NF4 and
 * back for LoftQ. Without what modules add.
 */
export async function tensorBeside(model: OpenModel, name: string, adapter: LoraWeights | null): Promise<ModelTensor> {
  const stored = await ofBase(model, name, adapter);
  const values = adapter ? valuesInPlace(stored, adapter) : undefined;
  return withTokens(withValues(stored, values), name === 'embed' ? (adapter?.tokens ?? null) : null);
}

export function tensorOf(model: OpenModel, name: string): ModelTensor {
  const tensor = model.tensors.get(name);
  if (!tensor) throw new Error(`${name} is not a tensor of ${model.path}`);
  return tensor;
}

/** The tensor that the adapter is beside: in NF4 where LoftQ left it so. */
async function ofBase(model: OpenModel, name: string, adapter: LoraWeights | null): Promise<ModelTensor> {
  const stored = tensorOf(model, name);
  if (!adapter?.quantizedBase || !adapter.modules.has(name)) return stored;
  return withValues(stored, decodeNf4(await quantized(stored, model), 0, elementCount(stored.shape)));
}

/** What stands in place of a tensor of the base: one that was trained in full, a bias with that of lora_B, or nothing. */
function valuesInPlace(tensor: ModelTensor, adapter: LoraWeights): Float32Array | undefined {
  const full = adapter.full.get(tensor.name);
  const module = isBias(tensor.name) ? adapter.modules.get(linearOf(tensor.name)) : undefined;
  const added = module?.bias;
  if (!module || !added) return full;
  const scale = moduleScale(adapter, module);
  return (full ?? tensor.float32()).map((value, i) => value + scale * (added[i] as number));
}

/** The tensor with these values in place of its own. */
function withValues(tensor: ModelTensor, values: Float32Array | undefined): ModelTensor {
  if (!values) return tensor;
  const { nf4: _, ...rest } = tensor;
  const [rows = 1] = tensor.shape;
  const float32 = ({ first, count }: RowRange = { first: 0, count: rows }) =>
    values.slice((first * values.length) / rows, ((first + count) * values.length) / rows);
  return {
    ...rest,
    dtype: 'F32',
    rowGroup: 1,
    source: () => null,
    float32,
    bytes: (range) => new Uint8Array(float32(range).buffer),
  };
}

/** The tensor with these rows in place of its own. */
function withTokens(tensor: ModelTensor, tokens: TokenRows | null): ModelTensor {
  if (!tokens) return tensor;
  const { nf4: _, ...rest } = tensor;
  const [rows = 1, width = 1] = tensor.shape;
  const float32 = (range: RowRange = { first: 0, count: rows }) => {
    const values = tensor.float32(range).slice();
    for (const [i, id] of tokens.ids.entries()) {
      const at = id - range.first;
      if (at >= 0 && at < range.count) values.set(tokens.values.subarray(i * width, (i + 1) * width), at * width);
    }
    return values;
  };
  return {
    ...rest,
    dtype: 'F32',
    source: () => null,
    float32,
    bytes: (range) => new Uint8Array(float32(range).buffer),
  };
}
