import { readConfig } from '@anneal/core/models/index';
import { expect, test } from 'vitest';

/** Attention keeps a maximum and a sum of every head in a thread's scratch; 2,800 heads wrote beyond it. */
test('a model of thousands of heads is refused by name', () => {
  const config = {
    model_type: 'llama',
    hidden_size: 5600,
    num_attention_heads: 2800,
    num_key_value_heads: 1,
    num_hidden_layers: 1,
    intermediate_size: 64,
    vocab_size: 160,
    max_position_embeddings: 512,
    rms_norm_eps: 1e-5,
  };
  expect(() => readConfig(config, null, 'config.json')).toThrow('num_attention_heads must be');
  const wide = { ...config, num_attention_heads: 2, hidden_size: 2048 };
  expect(() => readConfig(wide, null, 'config.json')).toThrow('head_dim must be at most 512');
});
