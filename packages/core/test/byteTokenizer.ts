import type { JsonObject } from '@anneal/formats/json';
import { byteLevelJson } from '../src/tokenizers/byteLevel/byteLevelJson.ts';
import { openTokenizer, type Tokenizer } from '../src/tokenizers/tokenizer.ts';

/** ChatML with a generation prompt. */
export const CHATML =
  "{% for message in messages %}{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/** A tokenizer of single bytes, for tests that need no real one: id = 4 + byte. */
export function byteTokenizer(chatTemplate: string | null = CHATML): Tokenizer {
  return openTokenizer({
    tokenizerJson: byteTokenizerJson(),
    tokenizerConfig: {
      bos_token: '<s>',
      eos_token: { content: '<|im_end|>' },
      pad_token: '</s>',
      chat_template: chatTemplate,
    },
  });
}

export function byteTokenizerJson(): JsonObject {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false };
  const bos = [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }];
  return {
    ...byteLevelJson(['<s>', '</s>', '<|im_start|>', '<|im_end|>'], []),
    truncation: { direction: 'Right', max_length: 4, strategy: 'LongestFirst', stride: 0 },
    pre_tokenizer: byteLevel,
    post_processor: {
      type: 'TemplateProcessing',
      single: bos,
      pair: bos,
      special_tokens: { '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] } },
    },
    decoder: byteLevel,
  };
}
