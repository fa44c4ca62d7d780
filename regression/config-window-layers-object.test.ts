import { readConfig } from '@anneal/core/models/index';
import { expect, test } from 'vitest';

/** `Number()` of an object whose toString is no function threw a TypeError instead of naming the key. */
test('max_window_layers that is an object is refused by name', () => {
  const config = {
    model_type: 'qwen2',
    hidden_size: 32,
    num_attention_heads: 4,
    num_key_value_heads: 4,
    num_hidden_layers: 2,
    intermediate_size: 64,
    vocab_size: 160,
    max_position_embeddings: 512,
    sliding_window: 16,
    use_sliding_window: true,
    max_window_layers: { toString: null },
  };
  expect(() => readConfig(config, null, 'config.json')).toThrow('max_window_layers must be a whole number from 0');
});
