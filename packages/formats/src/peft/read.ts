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
import { parameterOfWrapper } from './experts.ts';
import {
  CONFIG_FILE,
  fullTensorName,
  isOfModule,
  loraBiasName,
  loraTensorName,
  magnitudeName,
  NAME_PREFIX,
  TOKEN_ROWS,
  WEIGHTS_FILE,
} from './names.ts';
import { parseLoraConfig } from './parseConfig.ts';
import { lookUpPattern } from './pattern.ts';

/** One adapted linear layer: y = W x + scale · (B (A x) + bias); or those of all experts of a layer, each with factors of its own. */
export interface LoraModule {
  /** In the base model, as its weight is called without `.weight`: `model.layers.0.self_attn.q_proj`, `model.layers.0.mlp.experts.down_proj`. */
  readonly name: string;
  /** Matrices that lie behind each other there; 1 for a linear layer. */
  readonly experts: number;
  readonly rank: number;
  readonly alpha: number;
  /** alpha / rank, or alpha / √rank with rsLoRA. */
  readonly scale: number;
  /** Tensor of shape [experts · rank, inputs], experts outermost. */
  readonly a: string;
  /** Tensor of shape [outputs, rank · experts], experts innermost. */
  readonly b: string;
  /** Tensor of shape [outputs], of DoRA; null without. */
  readonly magnitude: string | null;
  /** Tensor of shape [outputs], added to B (A x); null without. */
  readonly bias: string | null;
  /** Of the matrix of the base: [outputs, inputs]. */
  readonly inputs: number;
  readonly outputs: number;
  /** Of a table with a row of `inputs` for each of `outputs` tokens: a is [rank, outputs], b [inputs, rank]. */
  readonly isEmbedding: boolean;
}

/** A tensor of the base in the form that it was trained to beside the adapter. */
export interface FullTensor {
  /** In the base model: `lm_head.weight`, `model.layers.0.self_attn.q_proj.bias`. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Tensor that holds it. */
  readonly tensor: string;
}

export interface TokenRows {
  readonly ids: readonly number[];
  /** The embedding, in the base model: `model.embed_tokens`. */
  readonly name: string;
  readonly width: number;
  /** Tensor of shape [ids, width]: the rows as they stand in place of the base's. */
  readonly tensor: string;
}

export interface PeftAdapter {
  readonly path: string;
  readonly config: LoraConfig;
  /** In the order of the file. */
  readonly modules: readonly LoraModule[];
  /** What `modules_to_save` and `bias` ask for; in the order of the file. */
  readonly full: readonly FullTensor[];
  /** Rows of the embedding that were trained; null where there are none. */
  readonly tokens: TokenRows | null;
  /** Embedding and output layer of the base as they were, which PEFT saves with an adapter on one of them. */
  readonly kept: readonly FullTensor[];
  /** Holds the tensors that these name; close it when done. */
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
    const full = findFullTensors(tensors, config);
    const tokens = findTokenRows(tensors, config);
    const kept = findKeptTensors(tensors, full);
    const whole = new Set([...full, ...kept, ...(tokens ? [tokens] : [])].map(({ tensor }) => tensor));
    const parts = [...tensors.tensors.keys()].filter((name) => !whole.has(name) && !isCopyOf(full, name));
    return { path: folder, config, modules: findModules(parts, tensors, config), full, tokens, kept, tensors };
  } catch (error) {
    tensors.close();
    throw error;
  }
}

/** alpha / rank, or alpha / √rank: rank-stabilized LoRA, Kalajdzievski 2023. */
export function loraScale(alpha: number, rank: number, useRslora: boolean): number {
  return alpha / (useRslora ? Math.sqrt(rank) : rank);
}

function findFullTensors({ tensors, path }: SafetensorsSource, config: LoraConfig): FullTensor[] {
  const full = [...tensors].flatMap(([tensor, { dtype, shape }]) => {
    const name = fullTensorName(tensor, config);
    if (name === null) return [];
    if (!FLOATS.includes(dtype)) throw invalidAdapter(`${tensor} is ${dtype}, not F32, F16 or BF16`, path);
    return [{ name, shape, tensor }];
  });
  // PEFT names every head that models of this kind may have.
  const named = config.modulesToSave.filter((module) => config.taskType !== 'SEQ_CLS' || module !== 'classifier');
  const without = named.find((module) => !full.some(({ name }) => isOfModule(name, module)));
  if (without !== undefined)
    throw invalidAdapter(`modules_to_save names ${without}, of which it holds no weight`, path);
  if (config.taskType === 'SEQ_CLS' && !full.some(({ name }) => isOfModule(name, 'score')))
    throw invalidAdapter('task_type is SEQ_CLS, and it holds no head of scores', path);
  return full;
}

function findKeptTensors({ tensors, path }: SafetensorsSource, full: readonly FullTensor[]): FullTensor[] {
  return [...tensors].flatMap(([tensor, { dtype, shape }]) => {
    const match = /^base_model\.model\.((?:.+\.)?(?:embed_tokens|lm_head))(?:\.base_layer)?\.weight$/.exec(tensor);
    if (match === null || full.some((each) => each.tensor === tensor)) return [];
    if (!FLOATS.includes(dtype)) throw invalidAdapter(`${tensor} is ${dtype}, not F32, F16 or BF16`, path);
    return [{ name: `${match[1]}.weight`, shape, tensor }];
  });
}

function findTokenRows({ tensors, path }: SafetensorsSource, { trainableTokens: ids }: LoraConfig): TokenRows | null {
  if (ids.length === 0) return null;
  const found = [...tensors].filter(([tensor]) => tensor.startsWith(NAME_PREFIX) && tensor.endsWith(TOKEN_ROWS));
  const [[tensor, { shape, dtype }] = ['', { shape: [], dtype: '' }], ...others] = found;
  const [count, width = 0] = shape;
  if (others.length > 0 || shape.length !== 2 || count !== ids.length || !FLOATS.includes(dtype))
    throw invalidAdapter(`trainable_token_indices names ${ids.length} tokens, and it has no rows of so many`, path);
  return { ids, name: tensor.slice(NAME_PREFIX.length, -TOKEN_ROWS.length), width, tensor };
}

/** PEFT's `save_embedding_layers` writes a layer that is trained in full once more, as it is inside, and as it was. */
function isCopyOf(full: readonly FullTensor[], tensor: string): boolean {
  const layer = /^base_model\.model\.(.+)\.(?:modules_to_save|original_module)\.weight$/.exec(tensor)?.[1];
  return layer !== undefined && full.some(({ name }) => name === `${layer}.weight`);
}

function findModules(parts: readonly string[], tensors: SafetensorsSource, config: LoraConfig): LoraModule[] {
  const paths = new Map<string, string>();
  for (const name of parts) {
    const match =
      /^base_model\.model\.(.+)\.(?:lora_[AB]\.weight|lora_embedding_[AB]|lora_B\.bias|lora_magnitude_vector)$/.exec(
        name,
      );
    const isExpected =
      match !== null &&
      (config.useDora || !name.endsWith('.lora_magnitude_vector')) &&
      (config.loraBias || !name.endsWith('.bias'));
    if (!isExpected) throw invalidAdapter(unexpectedTensor(name), tensors.path);
    const path = match[1] as string;
    const parameter = parameterOfWrapper(path, config.targetParameters);
    if (parameter === null && /\.experts(\.base_layer)*$/.test(path))
      throw invalidAdapter(`${JSON.stringify(name)} adapts experts that target_parameters does not name`, tensors.path);
    if (parameter === null && !isTargeted(path, config)) {
      throw invalidAdapter(`${JSON.stringify(name)} adapts a layer that target_modules does not name`, tensors.path);
    }
    paths.set(parameter ?? path, path);
  }
  if (paths.size === 0) throw invalidAdapter('it holds no LoRA weights', tensors.path);
  return [...paths].map(([name, path]) => describeModule(name, path, tensors, config));
}

/** PEFT would leave its tensors out. A pattern is believed: what it says of names is Python's to tell. */
function isTargeted(path: string, { targetModules }: LoraConfig): boolean {
  return typeof targetModules === 'string' || targetModules.some((name) => path === name || path.endsWith(`.${name}`));
}

/** @param path what its tensors are called by, which of experts is another than its name */
function describeModule(name: string, path: string, tensors: SafetensorsSource, config: LoraConfig): LoraModule {
  const isEmbedding = tensors.tensors.has(loraTensorName(path, 'A', true));
  const [a, b] = [loraTensorName(path, 'A', isEmbedding), loraTensorName(path, 'B', isEmbedding)];
  const rank = lookUpPattern(config.rankPattern, name) ?? config.r;
  const alpha = lookUpPattern(config.alphaPattern, name) ?? config.loraAlpha;
  const [rowsOfA, inputs] = matrixShape(a, tensors);
  const [outputs, columnsOfB] = matrixShape(b, tensors);
  const experts = path === name ? 1 : rowsOfA / rank;
  if (!Number.isInteger(experts) || rowsOfA !== rank * experts || columnsOfB !== rank * experts) {
    throw invalidAdapter(
      path === name
        ? `${name} has rank ${rowsOfA} in lora_A and ${columnsOfB} in lora_B, but the configuration says ${rank}`
        : `${name} has ${rowsOfA} rows in lora_A and ${columnsOfB} columns in lora_B, not as many of rank ${rank} for each expert`,
      tensors.path,
    );
  }
  if (isEmbedding && (config.useDora || config.loraBias))
    throw invalidAdapter(
      `${name} is an embedding, on which ${config.useDora ? 'use_dora' : 'lora_bias'} is not supported`,
      tensors.path,
    );
  const magnitude = config.useDora ? magnitudeName(name) : null;
  const bias = config.loraBias ? loraBiasName(name) : null;
  if (magnitude !== null) checkVector(magnitude, 'use_dora', outputs, tensors);
  if (bias !== null) checkVector(bias, 'lora_bias', outputs, tensors);
  return {
    name,
    experts,
    rank,
    alpha,
    scale: loraScale(alpha, rank, config.useRslora),
    a,
    b,
    magnitude,
    bias,
    inputs: isEmbedding ? outputs : inputs,
    outputs: isEmbedding ? inputs : outputs,
    isEmbedding,
  };
}

function checkVector(name: string, askedBy: string, outputs: number, { tensors, path }: SafetensorsSource): void {
  const info = tensors.get(name);
  if (info === undefined) throw invalidAdapter(`${askedBy} is true, and the tensor ${name} is missing`, path);
  if (info.shape.length !== 1 || info.shape[0] !== outputs || !FLOATS.includes(info.dtype)) {
    throw invalidAdapter(`${name} is ${info.dtype} [${info.shape}], not [${outputs}] of F32, F16 or BF16`, path);
  }
}

const FLOATS = ['F32', 'F16', 'BF16'];

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
  if (name.endsWith('.lora_B.bias')) return `${quoted} is a bias of lora_B, and lora_bias is not true`;
  if (name.endsWith(TOKEN_ROWS)) return `${quoted} holds rows of tokens, and trainable_token_indices names none`;
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
