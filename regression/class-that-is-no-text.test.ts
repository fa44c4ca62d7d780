/** `architectures` and `model_type` of config.json were made texts whatever they held: an object that cannot be one ended with a defect. */
import { readFileSync } from 'node:fs';
import { textConfigOf } from '@anneal/core/models/huggingFace/textPart';
import { readConfig } from '@anneal/core/models/index';
import { expect, test } from 'vitest';

const golden = new URL('../packages/core/test/golden/models/llama3/config.json', import.meta.url);
const json = JSON.parse(readFileSync(golden, 'utf8'));

test.each([[[{ toString: false }]], [[null]], [[]], ['LlamaForCausalLM']])(
  'architectures: %j is no reward model',
  (architectures) => {
    expect(readConfig({ ...json, architectures }, null, 'config.json').scoreHead).toBe(false);
  },
);

test('a model_type that is no text holds no text model', () => {
  for (const model_type of [{ toString: false }, 'constructor', null])
    expect(textConfigOf({ model_type, text_config: json } as never)).toBeNull();
});
