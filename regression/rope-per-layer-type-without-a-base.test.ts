/**
 * `rope_parameters` nested by the type of a layer, without `rope_theta` in them: layers with a window got the base of the others. What is
 * expected is what transformers 5.17 makes of the file.
 */
import { readConfig } from '@anneal/core/models/index';
import { expect, test } from 'vitest';

const gemma = {
  model_type: 'gemma3_text',
  hidden_size: 256,
  intermediate_size: 512,
  num_hidden_layers: 6,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 64,
  vocab_size: 1000,
  sliding_window: 512,
  query_pre_attn_scalar: 64,
};
const nested = (full: object, sliding: object) => ({ full_attention: full, sliding_attention: sliding });

test.each([
  [nested({ rope_type: 'linear', factor: 8 }, { rope_type: 'default' }), {}, 1e6, 1e4],
  [nested({ rope_type: 'linear', factor: 8 }, { rope_type: 'default' }), { rope_local_base_freq: 5000 }, 1e6, 5000],
  [nested({ rope_type: 'default', rope_theta: 7e5 }, { rope_type: 'default', rope_theta: 300 }), {}, 7e5, 300],
])('%j', (parameters, more, full, sliding) => {
  const config = readConfig({ ...gemma, ...more, rope_parameters: parameters }, null, 'config.json');
  expect([config.rope.theta, config.slidingRope?.theta]).toEqual([full, sliding]);
});
