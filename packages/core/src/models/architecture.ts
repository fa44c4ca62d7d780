import type { ModelConfig } from './config.ts';
import type { Fields } from './fields.ts';
import type { NameTable } from './names.ts';

/** How the files of one architecture are read and written. */
export interface Architecture {
  /** `model_type` in config.json. */
  readonly modelType: string;
  /** `general.architecture` in GGUF, and the prefix of its keys. */
  readonly gguf: string;
  /** The class transformers loads it with. */
  readonly huggingFaceClass: string;
  /** @param generation generation_config.json, for the end tokens it adds */
  readonly readConfig: (fields: Fields, generation: Fields | null) => ModelConfig;
  readonly names: NameTable;
}
