import type { WeightType } from '@anneal/kernels';
import type { ModelConfig } from '../models/config.ts';

/** Types of GGUF files by the name that people ask for, as llama-quantize's. */
export const GGUF_TYPES = [
  ...(['f32', 'f16', 'bf16', 'q8_0', 'q6_k', 'q5_k_m', 'q5_k_s', 'q5_0'] as const),
  ...(['q4_k_m', 'q4_k_s', 'q4_0', 'iq4_nl', 'iq4_xs', 'q3_k_m'] as const),
  ...(['iq3_m', 'iq3_s', 'iq3_xxs', 'q2_k'] as const),
];
export type GgufType = (typeof GGUF_TYPES)[number];

/** `general.file_type` (llama.cpp's llama_ftype), and the type of the matrices that no rule below singles out. */
export const FILE_TYPES: Readonly<Record<GgufType, { readonly number: number; readonly weights: WeightType }>> = {
  f32: { number: 0, weights: 'F32' },
  f16: { number: 1, weights: 'F16' },
  bf16: { number: 32, weights: 'BF16' },
  q8_0: { number: 7, weights: 'Q8_0' },
  q6_k: { number: 18, weights: 'Q6_K' },
  q5_k_m: { number: 17, weights: 'Q5_K' },
  q5_k_s: { number: 16, weights: 'Q5_K' },
  q5_0: { number: 8, weights: 'Q5_0' },
  q4_k_m: { number: 15, weights: 'Q4_K' },
  q4_k_s: { number: 14, weights: 'Q4_K' },
  q4_0: { number: 2, weights: 'Q4_0' },
  iq4_nl: { number: 25, weights: 'IQ4_NL' },
  iq4_xs: { number: 30, weights: 'IQ4_XS' },
  q3_k_m: { number: 12, weights: 'Q3_K' },
  iq3_m: { number: 27, weights: 'IQ3_S' },
  iq3_s: { number: 26, weights: 'IQ3_S' },
  iq3_xxs: { number: 23, weights: 'IQ3_XXS' },
  q2_k: { number: 10, weights: 'Q2_K' },
};

/** Whether the matrices of such a file are quantized by an importance matrix, if there is one. */
export function takesImportance(type: GgufType): boolean {
  return !['F32', 'F16', 'BF16', 'Q8_0'].includes(FILE_TYPES[type].weights);
}

/** Where a row is no multiple of 256 weights: the type with blocks of 32 that llama.cpp takes instead. */
const WITH_SHORT_BLOCKS: Readonly<Partial<Record<WeightType, WeightType>>> = {
  Q2_K: 'Q4_0',
  Q3_K: 'Q4_0',
  Q4_K: 'Q5_0',
  Q5_K: 'Q5_1',
  Q6_K: 'Q8_0',
  IQ4_XS: 'IQ4_NL',
  IQ3_XXS: 'IQ4_NL',
  IQ3_S: 'IQ4_NL',
};

/** Of queries, keys and values in one matrix, where they have more bits than the rest. */
const QKV_TYPES: Readonly<Partial<Record<GgufType, WeightType>>> = {
  q3_k_m: 'Q4_K',
  iq3_m: 'Q4_K',
  q4_k_m: 'Q5_K',
  q5_k_m: 'Q6_K',
};

/** Of what joins the heads of attention, where it has more bits than the rest. */
const OUTPUT_TYPES: Readonly<Partial<Record<GgufType, WeightType>>> = {
  q2_k: 'Q3_K',
  q3_k_m: 'Q4_K',
  iq3_m: 'Q4_K',
  iq3_xxs: 'IQ3_S',
};

/** What of a model decides the types. */
export type TypeRelevant = Pick<ModelConfig, 'layerCount' | 'headCount' | 'kvHeadCount' | 'tieWordEmbeddings'>;

/**
 * The type of one tensor in a file of type `type`: llama.cpp's choices (src/llama-quant.cpp), which give more bits to what
 * quality hangs on, so that a file has the size and the quality that its name promises. In IQ3_XXS queries and keys are in
 * IQ2_S there, which is not written here: they stay what the rest is. llama.cpp has Q5_K for its head.
 * @param name ours  @param shape rows, columns; what is no matrix stays in float32, and so do routers
 */
export function tensorType(name: string, shape: readonly number[], type: GgufType, config: TypeRelevant): WeightType {
  if (shape.length !== 2 || /\.(router|shared_expert_gate)$/.test(name)) return 'F32';
  const { weights } = FILE_TYPES[type];
  if (weights === 'F32' || weights === 'F16' || weights === 'BF16') return weights;
  if (/(^|\.)(altup|laurel)_|^per_layer_projection$/.test(name)) return 'F16'; // llama.cpp quantizes none of them
  return fitting(quantizedType(name, type, config), shape.at(-1) ?? 1);
}

function quantizedType(name: string, type: GgufType, config: TypeRelevant): WeightType {
  const { weights } = FILE_TYPES[type];
  const isPlain = /^q\d_0$/.test(type);
  // Every token's quality hangs on these. llama.cpp has Q6_K where the plain types have Q8_0 here.
  if (name === 'lm_head' || (name === 'embed' && (config.tieWordEmbeddings || isPlain))) {
    return isPlain ? 'Q8_0' : 'Q6_K';
  }
  if (name === 'embed' && type === 'iq3_xxs') return 'IQ3_S';
  const [, layer = '', linear] = /^layers\.(\d+)\.(\w+)$/.exec(name) ?? [];
  if (linear === 'qkv' || linear === 'delta_qkv') return QKV_TYPES[type] ?? weights;
  if (linear === 'v') return valueType(type, Number(layer), config);
  if (linear?.endsWith('down')) return downType(type, Number(layer), config.layerCount);
  if (linear === 'o') return OUTPUT_TYPES[type] ?? weights;
  return weights;
}

function valueType(type: GgufType, layer: number, { headCount, kvHeadCount, layerCount }: TypeRelevant): WeightType {
  const { weights } = FILE_TYPES[type];
  let chosen = weights;
  if (type === 'q2_k') chosen = headCount / kvHeadCount >= 4 ? 'Q4_K' : 'Q3_K';
  else if (type === 'iq3_m') chosen = 'Q4_K';
  else if (type === 'iq3_s' || type === 'iq3_xxs') chosen = headCount / kvHeadCount >= 4 ? 'Q4_K' : 'IQ3_S';
  else if (type === 'q3_k_m') chosen = layer < 2 ? 'Q5_K' : 'Q4_K';
  else if (type === 'q4_k_s' && layer < 4) chosen = 'Q5_K';
  else if (isIq4(type) && headCount / kvHeadCount >= 4) chosen = 'Q5_K';
  else if ((type === 'q4_k_m' || type === 'q5_k_m') && hasMoreBits(layer, layerCount)) chosen = 'Q6_K';
  // 80 layers are a model of 70 B, whose value matrices are an eighth of the query's: more bits cost next to nothing.
  return layerCount === 80 && (chosen === 'Q3_K' || chosen === 'Q4_K') ? 'Q5_K' : chosen;
}

function downType(type: GgufType, layer: number, layers: number): WeightType {
  const { weights } = FILE_TYPES[type];
  if (type === 'q2_k') return 'Q3_K';
  if (type === 'q3_k_m') return layer < Math.floor(layers / 16) ? 'Q5_K' : 'Q4_K';
  if (type === 'iq3_m' && layer < Math.floor(layers / 8)) return 'Q4_K';
  if ((type === 'q4_k_s' || isIq4(type)) && layer < Math.floor(layers / 8)) return 'Q5_K';
  if ((type === 'q4_k_m' || type === 'q5_k_m') && hasMoreBits(layer, layers)) return 'Q6_K';
  return weights;
}

function isIq4(type: GgufType): boolean {
  return type === 'iq4_nl' || type === 'iq4_xs';
}

/** The first and last eighth of the layers, and every third between. */
function hasMoreBits(layer: number, layers: number): boolean {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
}

function fitting(type: WeightType, columns: number): WeightType {
  const length = /_K$|^IQ4_XS$|^IQ3_/.test(type) ? 256 : 32;
  if (columns % length === 0) return type;
  const short = WITH_SHORT_BLOCKS[type] ?? type;
  return columns % 32 === 0 ? short : 'F16';
}
