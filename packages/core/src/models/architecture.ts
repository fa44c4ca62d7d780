import type { GgufValue } from '@anneal/formats/gguf/metadata';
import type { JsonObject } from '@anneal/formats/json';
import type { TensorSource } from '@anneal/formats/tensor';
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
  /** The class with a head of scores in place of logits; absent where transformers has none. */
  readonly classificationClass?: string;
  /** @param generation generation_config.json, for the end tokens it adds */
  readonly readConfig: (fields: Fields, generation: Fields | null) => ModelConfig;
  readonly names: NameTable;
  /** Where GGUF says more of it than of Llama. */
  readonly ggufPart?: GgufPart;
  /** What files may hold beside the model: the name of that part, by a tensor of it; null for a tensor of the model. */
  readonly leftOutPart?: (stored: string, config: ModelConfig) => string | null;
}

export interface GgufPart {
  /** `general.architecture`, where it depends on the model. */
  readonly nameOf?: (config: ModelConfig) => string;
  /** Of files that are read as this architecture, too. */
  readonly otherNames?: readonly string[];
  /** The names of tensors, where they depend on the model. */
  readonly names?: (config: ModelConfig) => NameTable;
  /**
   * Fields of config.json besides those that all architectures have, and instead of them.
   * @param fields the metadata without the architecture's prefix  @param common what is read of all architectures
   * @throws UserError for what is not implemented
   */
  readonly configJson: (fields: Fields, common: JsonObject, source: TensorSource) => JsonObject;
  /** Metadata besides those of all architectures, without the prefix. */
  readonly metadata: (config: ModelConfig) => readonly (readonly [key: string, value: GgufValue])[];
  /** Why llama.cpp would compute another model, or null. */
  readonly refusal: (config: ModelConfig) => string | null;
  /** llama.cpp masks what is outside of the layers' windows. */
  readonly honorsWindow: boolean;
  /** llama.cpp adds the bias of the attention's output. */
  readonly addsOutputBias?: boolean;
  /** Values may be smaller than keys: the architecture reads and writes their size. */
  readonly hasOwnValueSize?: boolean;
  /** llama.cpp has YaRN's scaling of scores in the attention of this architecture, whose own metadata say how much. */
  readonly scalesYarnItself?: boolean;
  /** llama.cpp rounds the ends of YaRN's ramp, whatever the model does, and so does every file that others made of it. */
  readonly roundsYarn?: boolean;
  /** llama.cpp has a rope that turns a part of each head of a layer without a window, by factors in a tensor. */
  readonly proportionalRope?: boolean;
  /** Heads of keys and sizes of MLPs may differ from layer to layer: the architecture reads them off the tensors. */
  readonly differsByLayer?: boolean;
  /** Tensors that llama.cpp asks for and does not read: zeros. */
  readonly unread?: (config: ModelConfig) => readonly { readonly name: string; readonly shape: readonly number[] }[];
  /** As an architecture's, by the names in GGUF files. */
  readonly leftOutPart?: Architecture['leftOutPart'];
}

/** `general.architecture` of a model's GGUF file, and the prefix of its keys. */
export function ggufArchitecture({ gguf, ggufPart }: Architecture, config: ModelConfig): string {
  return ggufPart?.nameOf?.(config) ?? gguf;
}

/** The table that has the names of a model's tensors in GGUF files. */
export function ggufNames({ names, ggufPart }: Architecture, config: ModelConfig): NameTable {
  return ggufPart?.names?.(config) ?? names;
}
