import type { Nf4Form, StoredNf4 } from '@anneal/formats/bitsandbytes/nf4';
import type { JsonObject } from '@anneal/formats/json';
import type { BlockType, DType, FilePlace, Nf4Type, RowRange } from '@anneal/formats/tensor';
import type { FloatType, WeightSource } from '@anneal/kernels';
import { UserError } from '../errors.ts';
import type { ChatTemplates } from '../templates/chatTemplates.ts';
import type { Architecture } from './architecture.ts';
import type { ModelConfig } from './config.ts';

/** One tensor of an opened model, in our layout; nothing is read before it is asked for, nothing kept afterwards. */
export interface ModelTensor {
  /** Our name, e.g. `layers.0.q`. */
  readonly name: string;
  /** Rows are outputs, columns inputs. */
  readonly shape: readonly number[];
  /** As stored. */
  readonly dtype: DType | BlockType | Nf4Type;
  /** Rows are read in multiples of this many: GGUF files may hold the rows of a head in another order, or all experts in one tensor. */
  readonly rowGroup: number;
  /** Of a matrix that is stored in NF4; `bytes` has its codes alone. */
  readonly nf4?: { readonly form: Nf4Form; read(): StoredNf4 };
  /** Where an engine finds its values by itself; null in types that must be decoded first. Valid while the model is open. */
  source(): WeightSource | null;
  /** Little-endian bytes in the stored type, in a fresh buffer; of all rows or of some. */
  bytes(rows?: RowRange): Uint8Array;
  /** Decoded, in a fresh array. */
  float32(rows?: RowRange): Float32Array;
}

/** A model on disk: what it is, and its tensors by our names. Close it to release the files. */
export interface OpenModel {
  readonly path: string;
  readonly format: 'huggingface' | 'gguf';
  readonly architecture: Architecture;
  readonly config: ModelConfig;
  /** config.json as it stands in the folder, or as rebuilt from GGUF metadata. */
  readonly configJson: JsonObject;
  /** generation_config.json, likewise; null where there is none. */
  readonly generationConfig: JsonObject | null;
  /** It is the text model inside a multimodal one, whose files name its tensors otherwise. */
  readonly isNested: boolean;
  /** Parts beside the text model, which alone is opened: `vision_tower (437 tensors)`. */
  readonly leftOut: readonly string[];
  /** By our names, in model order. */
  readonly tensors: ReadonlyMap<string, ModelTensor>;
  /** Names of the files that make the tokenizer, its chat template included; empty for a model without one. */
  readonly tokenizerFiles: readonly string[];
  /** @throws UserError when the file cannot be read; asked only for names in `tokenizerFiles` */
  readTokenizerFile(name: string): Uint8Array;
  /** null for a model without a chat template. */
  readonly chatTemplates: ChatTemplates | null;
  /** Every file the model consists of, absolute or as `path` was, for `modelHash`. */
  readonly files: readonly string[];
  close(): void;
}

const floatTypes: Readonly<Record<string, FloatType>> = { F32: 'f32', BF16: 'bf16', F16: 'f16' };

/** The type as engines name it; null where they do not read it. */
export function floatTypeOf(dtype: ModelTensor['dtype']): FloatType | null {
  return floatTypes[dtype] ?? null;
}

/** `headRows`: as in `FileWeights`. */
export function fileSource(
  { dtype, shape }: Pick<ModelTensor, 'dtype' | 'shape'>,
  place: () => FilePlace,
  headRows = 0,
): WeightSource | null {
  const type = floatTypeOf(dtype);
  return type && { type, ...place(), rows: shape[0] ?? 1, headRows };
}

/** The first that is infinite or no number. */
export function firstNotFinite(values: Float32Array): number | null {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value - value !== 0) return i;
  }
  return null;
}

/** One such weight makes every result of the model no number. @param element counted from 0; null: none is */
export function refuseNotFinite(element: number | null, { name }: Pick<ModelTensor, 'name'>, path: string): void {
  if (element === null) return;
  throw new UserError({
    what: `${name} cannot be used: its element ${element} is not a finite number`,
    where: path,
    next: 'download the model again; if it is the same then, its author has to mend it',
    code: 'weight_not_finite',
  });
}

/** @param problem of the file, as an engine found it while it read the tensor; null: none */
export function refuseProblem(problem: string | null, { name }: ModelTensor, { path }: OpenModel): void {
  if (problem === null) return;
  throw new UserError({
    what: `${name} cannot be read: ${problem}`,
    where: path,
    next: 'it was changed while open; download or write it again',
    code: 'file_truncated',
  });
}
