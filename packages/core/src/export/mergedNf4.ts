/** The linears of a merged model in 4 bits, in the layout of bitsandbytes. */
import { crc32 } from 'node:zlib';
import { decodeNf4, type Nf4Form, type StoredNf4 } from '@anneal/formats/bitsandbytes/nf4';
import { nf4Parts } from '@anneal/formats/bitsandbytes/parts';
import type { JsonObject } from '@anneal/formats/json';
import { ELEMENT_BYTES, elementCount } from '@anneal/formats/tensor';
import { UserError } from '../errors.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import { mergedWeights } from '../models/adapters/merge.ts';
import { moduleName, targetedLinears } from '../models/adapters/targets.ts';
import type { ModelTensor, OpenModel } from '../models/model.ts';
import { quantizedWeights } from '../models/nf4.ts';

/** How the linears of the blocks are held. */
export interface Nf4Export {
  readonly form: Nf4Form;
  /** Those that NF4 errs most on stay in the type of all other weights, as many as `dynamicRoom` has place for. */
  readonly isDynamic: boolean;
}

/** What linears that stay in 16 bits may take, by what all of them take in NF4. */
const ROOM = 0.1;

/** Weights decoded at a time. */
const CHUNK_WEIGHTS = 1 << 20;

export function canBeInNf4({ config }: OpenModel): boolean {
  return config.experts === null;
}

/**
 * Our names of the linears that transformers holds in 4 bits: those of the blocks.
 * @throws UserError for a mixture of experts, whose experts it holds in 16 bits whatever the config says
 */
export function linearsForNf4(model: OpenModel): string[] {
  const { config, architecture, path } = model;
  if (!canBeInNf4(model)) {
    throw new UserError({
      what: 'the experts of this model, nearly all of its weights, cannot be exported in 4 bits: transformers loads none so',
      where: path,
      next: 'export it merged in bf16, or as a GGUF file',
      code: 'export_unsupported',
    });
  }
  return targetedLinears(config, architecture.names, 'all-linear');
}

/** A linear of the model with its adapter folded in, in NF4. @throws UserError for a weight that is not finite */
export async function linearInNf4(
  model: OpenModel,
  adapter: LoraWeights | null,
  name: string,
  form: Nf4Form,
): Promise<StoredNf4> {
  return quantizedWeights(await mergedWeights(model, adapter, name), { name }, model, form);
}

/** Bytes that the weights of linears left in `dtype` take at most. */
export function dynamicRoom(model: OpenModel, linears: readonly string[], form: Nf4Form): number {
  return Math.floor(ROOM * linears.reduce((sum, name) => sum + nf4Bytes(shapeOf(model, name), form), 0));
}

export interface MeasureOptions {
  readonly form: Nf4Form;
  readonly dtype: 'BF16' | 'F16' | 'F32';
  /** After each linear. */
  readonly onMeasured: () => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The linears that NF4 errs most on, by the root of squared errors over that of squared weights, as many as there is room for: the worst
 * first, passing over what no longer fits.
 */
export async function mostErring(
  model: OpenModel,
  adapter: LoraWeights | null,
  linears: readonly string[],
  { form, dtype, onMeasured, signal }: MeasureOptions,
): Promise<Set<string>> {
  const measured: { name: string; error: number }[] = [];
  for (const name of linears) {
    signal?.throwIfAborted();
    const weights = await mergedWeights(model, adapter, name);
    measured.push({ name, error: relativeError(weights, await quantizedWeights(weights, { name }, model, form)) });
    onMeasured();
  }
  let room = dynamicRoom(model, linears, form);
  const chosen = new Set<string>();
  for (const { name } of measured.toSorted((a, b) => b.error - a.error)) {
    const bytes = elementCount(shapeOf(model, name)) * ELEMENT_BYTES[dtype];
    if (bytes > room) continue;
    room -= bytes;
    chosen.add(name);
  }
  return chosen;
}

/** √(Σ (w − ŵ)² / Σ w²); 0 of weights that are all 0. */
function relativeError(weights: Float32Array, values: StoredNf4): number {
  let [errors, squares] = [0, 0];
  for (let first = 0; first < weights.length; first += CHUNK_WEIGHTS) {
    const decoded = decodeNf4(values, first, Math.min(CHUNK_WEIGHTS, weights.length - first));
    for (const [i, value] of decoded.entries()) {
      const weight = weights[first + i] as number;
      errors += (weight - value) ** 2;
      squares += weight ** 2;
    }
  }
  return squares === 0 ? 0 : Math.sqrt(errors / squares);
}

/** `quantization_config` of config.json. @param inNf4 our names of the linears that are; transformers would take others for such */
export function nf4Config({ tensors, architecture }: OpenModel, inNf4: ReadonlySet<string>, form: Nf4Form): JsonObject {
  const others = [...tensors.values()].filter(({ name, shape }) => shape.length === 2 && !inNf4.has(name));
  return {
    quant_method: 'bitsandbytes',
    load_in_4bit: true,
    load_in_8bit: false,
    bnb_4bit_quant_type: 'nf4',
    bnb_4bit_use_double_quant: form === 'double',
    bnb_4bit_compute_dtype: 'bfloat16',
    bnb_4bit_quant_storage: 'uint8',
    // A tied output layer is no tensor of the files, but a linear all the same.
    llm_int8_skip_modules: [...new Set([...others.map(({ name }) => moduleName(architecture.names, name)), 'lm_head'])],
  };
}

/** The same of equal values alone, for what is written and what is read back. */
export function nf4Checksum({ codes, absmax, double }: StoredNf4): number {
  const parts = [codes, absmax, ...(double ? [double.scales, Float32Array.of(double.offset)] : [])];
  return parts.reduce(
    (sum, { buffer, byteOffset, byteLength }) => crc32(new Uint8Array(buffer, byteOffset, byteLength), sum),
    0,
  );
}

function shapeOf({ tensors }: OpenModel, name: string): readonly number[] {
  return (tensors.get(name) as ModelTensor).shape;
}

function nf4Bytes(shape: readonly number[], form: Nf4Form): number {
  const parts = nf4Parts({ name: '', shape }, form, 'bfloat16');
  return parts.reduce((sum, part) => sum + elementCount(part.shape) * ELEMENT_BYTES[part.dtype], 0);
}
