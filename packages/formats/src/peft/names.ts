/** What PEFT calls the files of an adapter and the tensors in them. */
import type { LoraConfig } from './config.ts';

export const CONFIG_FILE = 'adapter_config.json';
export const WEIGHTS_FILE = 'adapter_model.safetensors';
/** PeftModel.base_model (a LoraModel) .model (the transformers model) */
export const NAME_PREFIX = 'base_model.model.';

export function loraTensorName(module: string, side: 'A' | 'B', isEmbedding = false): string {
  return `${NAME_PREFIX}${module}.lora_${isEmbedding ? `embedding_${side}` : `${side}.weight`}`;
}

/** Of a tensor of the base that was trained in full. @param besideAdapter whether its module has an adapter, too */
export function savedName(tensor: string, besideAdapter: boolean): string {
  return NAME_PREFIX + (besideAdapter ? tensor.replace(/\.bias$/, '.base_layer.bias') : tensor);
}

export function loraBiasName(module: string): string {
  return `${NAME_PREFIX}${module}.lora_B.bias`;
}

export function magnitudeName(module: string): string {
  return `${NAME_PREFIX}${module}.lora_magnitude_vector`;
}

export const TOKEN_ROWS = '.token_adapter.trainable_tokens_delta';

/** The tensor of trained rows of this embedding. */
export function tokenRowsName(embedding: string): string {
  return NAME_PREFIX + embedding + TOKEN_ROWS;
}

/** In the base model, or null where the tensor is something else. A bias of a module with an adapter is called `X.base_layer.bias`. */
export function fullTensorName(tensor: string, { bias, modulesToSave, ensureWeightTying }: LoraConfig): string | null {
  if (!tensor.startsWith(NAME_PREFIX) || /\.lora_[^.]*(\.|$)/.test(tensor)) return null;
  const name = tensor.slice(NAME_PREFIX.length);
  if (bias !== 'none' && /[._]bias$/.test(name)) return name.replace(/\.base_layer\.bias$/, '.bias');
  if (modulesToSave.some((module) => isOfModule(name, module))) return name;
  return ensureWeightTying && modulesToSave.length > 0 && name === TIED_HEAD ? name : null;
}

/** As PEFT has it: the module's name ends so, be it at a dot or not. */
export function isOfModule(tensor: string, module: string): boolean {
  return tensor.replace(/\.(weight|bias)$/, '').endsWith(module);
}

/** What PEFT saves with an embedding that is the head, too. */
const TIED_HEAD = 'lm_head.weight';
