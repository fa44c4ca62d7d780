import type { StoredNf4 } from '@anneal/formats/bitsandbytes/nf4';
import type { JsonObject } from '@anneal/formats/json';
import type { BlockType, DType, Nf4Type, RowRange } from '@anneal/formats/tensor';
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
  /** Rows are read in multiples of this many: GGUF files may hold the rows of a head in another order. */
  readonly rowGroup: number;
  /** Of a matrix that is stored in NF4; `bytes` has its codes alone. */
  readonly nf4?: { readonly form: 'single' | 'double'; read(): StoredNf4 };
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
