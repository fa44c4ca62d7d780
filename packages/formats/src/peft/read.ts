import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { refusePickle } from '../checkpointGuard.ts';
import { UserError } from '../errors.ts';
import { readSmallFile } from '../files/randomAccess.ts';
import { parseJsonObject } from '../json.ts';
import { LIMITS } from '../limits.ts';
import type { SafetensorsSource } from '../safetensors/read.ts';
import { openSafetensors } from '../safetensors/read.ts';
import type { LoraConfig } from './config.ts';
import { parseLoraConfig } from './config.ts';
import { lookUpPattern } from './pattern.ts';

export const CONFIG_FILE = 'adapter_config.json';
export const WEIGHTS_FILE = 'adapter_model.safetensors';
/** PeftModel.base_model (a LoraModel) .model (the transformers model) */
const NAME_PREFIX = 'base_model.model.';

/** One adapted linear layer: y = W x + scale · B (A x). */
export interface LoraModule {
  /** In the base model, as its weight is called without `.weight`: `model.layers.0.self_attn.q_proj`. */
  readonly name: string;
  readonly rank: number;
  readonly alpha: number;
  /** alpha / rank, or alpha / √rank with rsLoRA. */
  readonly scale: number;
  /** Tensor of shape [rank, inputs]. */
  readonly a: string;
  /** Tensor of shape [outputs, rank]. */
  readonly b: string;
  /** Tensor of shape [outputs], of DoRA; null without. */
  readonly magnitude: string | null;
  readonly inputs: number;
  readonly outputs: number;
}

export interface PeftAdapter {
  readonly path: string;
  readonly config: LoraConfig;
  /** In the order of the file. */
  readonly modules: readonly LoraModule[];
  /** Holds the tensors `a`, `b` and `magnitude` of every module; close it when done. */
  readonly tensors: SafetensorsSource;
}

/**
 * Opens an adapter folder of PEFT. Reads the configuration and the header of the weights.
 * @throws UserError when a file is missing, a field cannot be honored, or tensors and configuration contradict each other
 */
export function readPeftAdapter(folder: string): PeftAdapter {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw notAnAdapter('there is no such folder', folder);
  refusePickle(folder);
  const missing = [CONFIG_FILE, WEIGHTS_FILE].find((name) => !existsSync(join(folder, name)));
  if (missing !== undefined) throw notAnAdapter(`the folder has no ${missing}`, folder);

  const configPath = join(folder, CONFIG_FILE);
  const config = parseLoraConfig(
    parseJsonObject(readSmallFile(configPath, LIMITS.configBytes), configPath),
    configPath,
  );
  const tensors = openSafetensors(join(folder, WEIGHTS_FILE));
  try {
    return { path: folder, config, modules: findModules(tensors, config), tensors };
  } catch (error) {
    tensors.close();
    throw error;
  }
}

/** alpha / rank, or alpha / √rank: rank-stabilized LoRA, Kalajdzievski 2023. */
export function loraScale(alpha: number, rank: number, useRslora: boolean): number {
  return alpha / (useRslora ? Math.sqrt(rank) : rank);
}

function findModules(tensors: SafetensorsSource, config: LoraConfig): LoraModule[] {
  const names = new Set<string>();
  for (const name of tensors.tensors.keys()) {
    const match = /^base_model\.model\.(.+)\.(?:lora_[AB]\.weight|lora_magnitude_vector)$/.exec(name);
    const isExpected = match !== null && (config.useDora || !name.endsWith('.lora_magnitude_vector'));
    if (!isExpected) throw invalidAdapter(unexpectedTensor(name), tensors.path);
    names.add(match[1] as string);
  }
  if (names.size === 0) throw invalidAdapter('it holds no LoRA weights', tensors.path);
  return [...names].map((name) => describeModule(name, tensors, config));
}

function describeModule(name: string, tensors: SafetensorsSource, config: LoraConfig): LoraModule {
  const [a, b] = [loraTensorName(name, 'A'), loraTensorName(name, 'B')];
  const rank = lookUpPattern(config.rankPattern, name) ?? config.r;
  const alpha = lookUpPattern(config.alphaPattern, name) ?? config.loraAlpha;
  const [rankOfA, inputs] = matrixShape(a, tensors);
  const [outputs, rankOfB] = matrixShape(b, tensors);
  if (rankOfA !== rank || rankOfB !== rank) {
    throw invalidAdapter(
      `${name} has rank ${rankOfA} in lora_A and ${rankOfB} in lora_B, but the configuration says ${rank}`,
      tensors.path,
    );
  }
  const magnitude = config.useDora ? magnitudeName(name) : null;
  if (magnitude !== null) checkMagnitude(magnitude, outputs, tensors);
  return { name, rank, alpha, scale: loraScale(alpha, rank, config.useRslora), a, b, magnitude, inputs, outputs };
}

function checkMagnitude(name: string, outputs: number, { tensors, path }: SafetensorsSource): void {
  const info = tensors.get(name);
  if (info === undefined) throw invalidAdapter(`use_dora is true, and the tensor ${name} is missing`, path);
  if (info.shape.length !== 1 || info.shape[0] !== outputs || !FLOATS.includes(info.dtype)) {
    throw invalidAdapter(`${name} is ${info.dtype} [${info.shape}], not [${outputs}] of F32, F16 or BF16`, path);
  }
}

const FLOATS = ['F32', 'F16', 'BF16'];

export function loraTensorName(module: string, side: 'A' | 'B'): string {
  return `${NAME_PREFIX}${module}.lora_${side}.weight`;
}

export function magnitudeName(module: string): string {
  return `${NAME_PREFIX}${module}.lora_magnitude_vector`;
}

function matrixShape(name: string, { tensors, path }: SafetensorsSource): [number, number] {
  const info = tensors.get(name);
  if (info === undefined) throw invalidAdapter(`the tensor ${name} is missing`, path);
  if (info.shape.length !== 2 || !FLOATS.includes(info.dtype)) {
    throw invalidAdapter(`${name} is ${info.dtype} [${info.shape}], not a matrix of F32, F16 or BF16`, path);
  }
  return info.shape as [number, number];
}

function unexpectedTensor(name: string): string {
  const quoted = JSON.stringify(name);
  if (name.includes('lora_magnitude_vector')) return `${quoted} belongs to DoRA, and use_dora is not true`;
  if (name.includes('lora_embedding_')) return `${quoted} adapts an embedding, which Anneal does not support`;
  return `${quoted} is not the lora_A.weight or lora_B.weight of a linear layer`;
}

function invalidAdapter(what: string, where: string): UserError {
  return new UserError({
    what: `the adapter cannot be used: ${what}`,
    where,
    next: 'save it again with PEFT, or merge it into its base model (merge_and_unload) and start from the result',
    code: 'adapter_invalid',
  });
}

function notAnAdapter(what: string, where: string): UserError {
  return new UserError({
    what: `not a PEFT adapter: ${what}`,
    where,
    next: `give a folder with ${CONFIG_FILE} and ${WEIGHTS_FILE}`,
    code: 'adapter_not_found',
  });
}
