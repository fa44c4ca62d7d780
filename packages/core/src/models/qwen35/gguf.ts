import type { GgufPart } from '../architecture.ts';
import type { ModelConfig } from '../config.ts';
import type { Fields } from '../fields.ts';
import { uint32 } from '../gguf/writeMetadata.ts';

/** What the rule divides by at least: transformers has it in the code. */
const RULE_EPS = 1e-6;

/** Of all of Qwen3.5. Behind its layers files may hold one that predicts a token more, which is counted with them. */
export const ggufPart: GgufPart = {
  configJson: (fields) => {
    const layerCount = fields.count('block_count') - predicting(fields);
    const valueHeads = fields.count('ssm.time_step_rank');
    const keySize = fields.count('ssm.state_size');
    return {
      num_hidden_layers: layerCount,
      full_attention_interval: fields.count('full_attention_interval', 4),
      linear_num_key_heads: fields.count('ssm.group_count'),
      linear_key_head_dim: keySize,
      linear_num_value_heads: valueHeads,
      linear_value_head_dim: fields.count('ssm.inner_size') / valueHeads,
      linear_conv_kernel_dim: fields.count('ssm.conv_kernel'),
    };
  },
  metadata: (config) => {
    if (!config.gatedDelta) throw new Error('a Qwen3.5 without the gated delta rule');
    const { keyHeads, keySize, valueHeads, valueSize, convSize } = config.gatedDelta;
    return [
      uint32('ssm.conv_kernel', convSize),
      uint32('ssm.state_size', keySize),
      uint32('ssm.group_count', keyHeads),
      uint32('ssm.time_step_rank', valueHeads),
      uint32('ssm.inner_size', valueHeads * valueSize),
      uint32('full_attention_interval', interval(config)),
      ['rope.dimension_sections', { type: 'array', items: 'int32', value: sections(config) }],
    ];
  },
  refusal: (config) => {
    const { gatedDelta, mixers } = config;
    const period = interval(config);
    if (mixers.some((mixer, layer) => (mixer === 'attention') !== ((layer + 1) % period === 0)))
      return 'llama.cpp knows qwen35 only with attention in every so many layers and nowhere else (layer_types)';
    if (config.rmsNormEps !== RULE_EPS)
      return `llama.cpp norms queries and keys of the gated delta rule with rms_norm_eps, which has to be ${RULE_EPS}`;
    return gatedDelta?.keySize === gatedDelta?.valueSize
      ? null
      : 'llama.cpp knows the gated delta rule only with values as large as keys (linear_value_head_dim)';
  },
  honorsWindow: false,
  leftOutPart: (stored, { layerCount }) =>
    Number(/^blk\.(\d+)\./.exec(stored)?.[1] ?? -1) >= layerCount ? 'mtp' : null,
};

function predicting(fields: Fields): number {
  return fields.count('nextn_predict_layers', 0, undefined, 0);
}

function interval({ mixers }: ModelConfig): number {
  return mixers.indexOf('attention') + 1;
}

/** Which pairs turn by a picture's time, row and column: by turns. llama.cpp leaves pairs beyond them unturned; of text all three are one. */
function sections({ rotarySize }: ModelConfig): Int32Array<ArrayBuffer> {
  return Int32Array.from({ length: 4 }, (_, axis) => (axis < 3 ? Math.ceil((rotarySize / 2 - axis) / 3) : 0));
}
