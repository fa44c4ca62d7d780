import { plainSwiglu } from '@anneal/kernels';
import type { ExpertsConfig, LatentAttentionConfig, ModelConfig } from '../config.ts';
import { MAX_LAYERS, readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';
import { refuseBalanceLoss } from '../readBalanceLoss.ts';
import { yarnAttentionFactor } from '../rope.ts';

/** What transformers takes where config.json does not say it. */
const DEFAULTS = {
  num_attention_heads: 128,
  kv_lora_rank: 512,
  q_lora_rank: 1536,
  qk_nope_head_dim: 128,
  qk_rope_head_dim: 64,
  v_head_dim: 128,
  max_position_embeddings: 4096,
};

/** Of what else published files may say, what is computed. */
const COMPUTED = { scoring_func: 'sigmoid', topk_method: 'noaux_tc', moe_layer_freq: 1 } as const;

/** DeepSeek-V3 and -R1, Moonlight: latent attention; experts chosen by sigmoids in groups, beside a shared one, behind the first layers. */
export function readConfig(written: Fields, generation: Fields | null): ModelConfig {
  const fields = written.withDefaults(DEFAULTS);
  const rotarySize = fields.count('qk_rope_head_dim');
  const headSize = fields.count('qk_nope_head_dim') + rotarySize;
  const attentionBias = fields.boolean('attention_bias', false);
  return readDecoderConfig(fields, generation, {
    architecture: 'deepseek_v3',
    headSize,
    rotarySize,
    experts: (layerCount) => readExperts(fields, layerCount),
    config: {
      mixers: Array.from(
        { length: fields.count('num_hidden_layers', undefined, MAX_LAYERS) },
        () => 'latent_attention',
      ),
      latentAttention: readLatentAttention(fields, headSize),
      kvHeadCount: readHeadCount(fields),
      attentionScale: headSize ** -0.5 * yarnScale(fields) ** 2,
      attentionBias,
      outputBias: attentionBias,
      rotaryPairs: fields.boolean('rope_interleave', true) ? 'neighbors' : 'halves',
    },
  });
}

/** `mtp` for tensors of the layers behind the last, which predict several tokens; null for all others. */
export function leftOutPart(stored: string, { layerCount }: ModelConfig): string | null {
  return Number(/^model\.layers\.(\d+)\./.exec(stored)?.[1] ?? -1) >= layerCount ? 'mtp' : null;
}

function readLatentAttention(fields: Fields, headSize: number): LatentAttentionConfig {
  return {
    queryRank: fields.has('q_lora_rank') ? fields.count('q_lora_rank') : null,
    kvRank: fields.count('kv_lora_rank'),
    valueSize: fields.count('v_head_dim', undefined, headSize),
  };
}

/** Every head has keys of its own, once they are made. */
function readHeadCount(fields: Fields): number {
  const heads = fields.count('num_attention_heads');
  if (fields.count('num_key_value_heads', heads) === heads) return heads;
  throw fields.wrong('num_key_value_heads', `num_attention_heads ${heads}`);
}

/** YaRN's own scaling of scores, which this model has in the attention, not in the rope. */
function yarnScale(fields: Fields): number {
  const rope = fields.object('rope_parameters') ?? fields.object('rope_scaling');
  if (!rope?.raw('mscale_all_dim') || rope.string('rope_type', rope.string('type', 'default')) === 'default') return 1;
  return yarnAttentionFactor(rope.positive('factor'), rope.positive('mscale_all_dim'));
}

function refuseOtherRouters(fields: Fields): void {
  for (const [key, computed] of Object.entries(COMPUTED)) {
    if (fields.has(key) && fields.raw(key) !== computed)
      throw fields.unsupported(
        `${key} ${JSON.stringify(fields.raw(key))} is not implemented, only ${computed}, as transformers has it`,
        'use a model of DeepSeek-V3’s kind',
      );
  }
}

/** @throws UserError for routers of other kinds */
export function readExperts(fields: Fields, layerCount: number): ExpertsConfig {
  refuseOtherRouters(fields);
  refuseBalanceLoss(fields);
  const count = fields.count('n_routed_experts', 256);
  const groups = fields.count('n_group', 8, count);
  if (count % groups !== 0 || count / groups < 2)
    throw fields.wrong('n_group', `a divisor of ${count} experts, below them`);
  const chosenGroups = fields.count('topk_group', 4, groups);
  const intermediateSize = fields.count('moe_intermediate_size', 2048);
  const dense = fields.count('first_k_dense_replace', 3, layerCount, 0);
  return {
    count,
    choices: fields.count('num_experts_per_tok', 8, (chosenGroups * count) / groups),
    intermediateSize,
    normalized: fields.boolean('norm_topk_prob', true),
    sigmoid: { groups, chosenGroups, scale: fields.positive('routed_scaling_factor', 2.5) },
    bias: false,
    activation: plainSwiglu,
    shared: { intermediateSize: intermediateSize * fields.count('n_shared_experts', 1), gated: false },
    besideMlp: false,
    layers: Array.from({ length: layerCount }, (_, layer) => layer >= dense),
  };
}
