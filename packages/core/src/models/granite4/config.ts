import { isDeepStrictEqual } from 'node:util';
import { longestShortConv, plainSwiglu } from '@anneal/kernels';
import type { ExpertsConfig, ModelConfig, StateSpaceConfig, TokenMixer } from '../config.ts';
import { MAX_LAYERS, readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';
import { graniteMultipliers } from '../granite/config.ts';
import { readBalanceLoss } from '../readBalanceLoss.ts';

/** As many transformers takes where config.json does not say it. */
const EXPERTS = 8;

/** Granite 4: layers of Mamba 2 among those of attention, or attention alone; gate and up in one matrix; experts beside the MLP, or none. */
export function readConfig(fields: Fields, generation: Fields | null): ModelConfig {
  const attentionBias = fields.boolean('attention_bias', false);
  const mixers = readMixers(fields);
  const position = fields.has('position_embedding_type') ? fields.string('position_embedding_type') : 'nope';
  const hasExperts = fields.count('num_local_experts', EXPERTS, undefined, 0) > 0;
  if (position !== 'rope' && position !== 'nope') throw fields.wrong('position_embedding_type', 'rope or nope');
  return readDecoderConfig(
    fields.withDefaults({ intermediate_size: fields.count('shared_intermediate_size') }),
    generation,
    {
      architecture: 'granitemoehybrid',
      ...(hasExperts && { experts: (layerCount: number) => readExperts(fields, layerCount) }),
      config: {
        mixers,
        stateSpace: mixers.includes('state_space') ? readStateSpace(fields) : null,
        attentionBias,
        outputBias: attentionBias,
        intermediateSize: fields.count('shared_intermediate_size'),
        fusedGateUp: true,
        hasRope: mixers.map(() => position === 'rope'),
        ...graniteMultipliers(fields),
      },
    },
  );
}

/** Transformers 5 calls what published files call mamba and attention linear_attention and full_attention. */
function readMixers(fields: Fields): TokenMixer[] {
  const layerCount = fields.count('num_hidden_layers', undefined, MAX_LAYERS);
  const types = fields.strings('layer_types') ?? Array.from({ length: layerCount }, () => 'mamba');
  if (types.length !== layerCount) throw fields.wrong('layer_types', `a list of ${layerCount} entries, one per layer`);
  const mixers = types.map((type): TokenMixer => {
    if (type === 'attention' || type === 'full_attention') return 'attention';
    if (type === 'mamba' || type === 'linear_attention') return 'state_space';
    throw fields.unsupported(`layer type ${type} is not implemented`, 'use a published Granite 4');
  });
  if (mixers.includes('attention')) return mixers;
  throw fields.unsupported('a model without any layer of attention is not implemented', 'use a published Granite 4');
}

/** `intermediate_size` is theirs, not that of the MLP. */
function readExperts(fields: Fields, layerCount: number): ExpertsConfig {
  const count = fields.count('num_local_experts', EXPERTS);
  return {
    ...readBalanceLoss(fields),
    count,
    choices: fields.count('num_experts_per_tok', 2, count),
    intermediateSize: fields.count('intermediate_size'),
    normalized: true,
    sigmoid: null,
    bias: false,
    activation: plainSwiglu,
    shared: { intermediateSize: fields.count('shared_intermediate_size'), gated: false, isMlp: true },
    besideMlp: false,
    layers: Array.from({ length: layerCount }, () => true),
  };
}

function readStateSpace(fields: Fields): StateSpaceConfig {
  if (fields.boolean('mamba_proj_bias', false)) {
    throw fields.unsupported(
      'biases of the Mamba projections (mamba_proj_bias) are not implemented',
      'use a published Granite 4',
    );
  }
  refuseStepLimits(fields);
  const heads = fields.count('mamba_n_heads', 128);
  const inner = fields.count('mamba_expand', 2) * fields.count('hidden_size');
  const isAutomatic = !fields.has('mamba_d_head') || fields.raw('mamba_d_head') === 'auto';
  const headSize = isAutomatic ? inner / heads : fields.count('mamba_d_head');
  if (!Number.isInteger(headSize) || heads * headSize !== inner)
    throw fields.wrong('mamba_n_heads', `so many heads that they are ${inner} wide together`);
  const groups = fields.count('mamba_n_groups', 1);
  if (heads % groups !== 0) throw fields.wrong('mamba_n_groups', `a divisor of ${heads} heads`);
  return {
    heads,
    headSize,
    groups,
    stateSize: fields.count('mamba_d_state', 256),
    convSize: fields.count('mamba_d_conv', 4, longestShortConv, 2),
    convBias: fields.boolean('mamba_conv_bias', true),
  };
}

/** Steps are above 0 whatever the lower limit of 0 says. JSON has no infinity: transformers writes an object that names it. */
function refuseStepLimits(fields: Fields): void {
  if (!fields.has('time_step_limit')) return;
  if (isDeepStrictEqual(fields.raw('time_step_limit'), [0, { __float__: 'Infinity' }])) return;
  throw fields.unsupported('limits of the steps (time_step_limit) are not implemented', 'use a published Granite 4');
}
