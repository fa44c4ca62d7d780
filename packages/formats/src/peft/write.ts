import { join } from 'node:path';
import { writeAtomically } from '../files/atomicWrite.ts';
import type { TensorToWrite } from '../safetensors/write.ts';
import { safetensorsBytes, writeSafetensors } from '../safetensors/write.ts';
import type { LoraConfig } from './config.ts';
import { formatLoraConfig } from './config.ts';
import {
  CONFIG_FILE,
  loraBiasName,
  loraTensorName,
  magnitudeName,
  savedName,
  tokenRowsName,
  WEIGHTS_FILE,
} from './names.ts';

export interface LoraModuleToWrite {
  /** In the base model, without `.weight`: `model.layers.0.self_attn.q_proj`; of experts that of PEFT's wrapper. */
  readonly name: string;
  /** Then a is [rank, vocabulary], and b [width, rank]. */
  readonly isEmbedding?: boolean;
  /** [experts · rank, inputs] */
  readonly a: Omit<TensorToWrite, 'name'>;
  /** [outputs, rank · experts] */
  readonly b: Omit<TensorToWrite, 'name'>;
  /** [outputs], of DoRA */
  readonly magnitude?: Omit<TensorToWrite, 'name'>;
  /** [outputs], of lora_B */
  readonly bias?: Omit<TensorToWrite, 'name'>;
}

export interface FullTensorToWrite extends TensorToWrite {
  /** Whether the module that a bias belongs to has an adapter. */
  readonly besideAdapter: boolean;
}

/**
 * Writes an adapter folder that PEFT loads: weights first, then the configuration, each complete or not at all.
 * @param tokens trained rows of the embedding of this name
 */
export async function writePeftAdapter(
  folder: string,
  config: LoraConfig,
  modules: readonly LoraModuleToWrite[],
  full: readonly FullTensorToWrite[] = [],
  tokens: TensorToWrite | null = null,
): Promise<void> {
  await writeSafetensors(join(folder, WEIGHTS_FILE), tensorsOf(modules, full, tokens));
  await writeAtomically(join(folder, CONFIG_FILE), (file) => file.write(Buffer.from(configText(config))));
}

/** The bytes of all files that `writePeftAdapter` makes of these. */
export function peftAdapterBytes(
  config: LoraConfig,
  modules: readonly LoraModuleToWrite[],
  full: readonly FullTensorToWrite[] = [],
  tokens: TensorToWrite | null = null,
): number {
  return safetensorsBytes(WEIGHTS_FILE, tensorsOf(modules, full, tokens)) + Buffer.byteLength(configText(config));
}

function tensorsOf(
  modules: readonly LoraModuleToWrite[],
  full: readonly FullTensorToWrite[],
  tokens: TensorToWrite | null,
): TensorToWrite[] {
  const adapters = modules.flatMap(({ name, isEmbedding = false, a, b, magnitude, bias }) => [
    { ...a, name: loraTensorName(name, 'A', isEmbedding) },
    { ...b, name: loraTensorName(name, 'B', isEmbedding) },
    ...(magnitude ? [{ ...magnitude, name: magnitudeName(name) }] : []),
    ...(bias ? [{ ...bias, name: loraBiasName(name) }] : []),
  ]);
  const whole = full.map(({ besideAdapter, ...tensor }) => ({
    ...tensor,
    name: savedName(tensor.name, besideAdapter),
  }));
  const rows = tokens ? [{ ...tokens, name: tokenRowsName(tokens.name) }] : [];
  return [...adapters, ...whole, ...rows];
}

function configText(config: LoraConfig): string {
  return `${JSON.stringify(formatLoraConfig(config), null, 2)}\n`;
}
