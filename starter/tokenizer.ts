/** Learns the starter's tokenizer from the text of `text.ts` and writes it into `../model`: node tokenizer.ts */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BYTE_CHARACTERS } from '@anneal/core/tokenizers/byteLevel/byteAlphabet';
import { learnMerges } from './bytePairs.ts';
import type { Message } from './conversations.ts';
import { starterProject } from './project.ts';
import { CONVERSATIONS, conversationRow, STORIES, storyRow } from './text.ts';

export const VOCABULARY = 1280;
export const SPECIAL_TOKENS = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<|pad|>'];

/** ChatML; a generation prompt opens the assistant's turn. */
export const CHAT_TEMPLATE = [
  '{% for message in messages %}',
  "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}",
  '{% endfor %}',
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
].join('');

function* texts(): Generator<string> {
  for (let index = 0; index < STORIES; index++) yield (JSON.parse(storyRow(index)) as { text: string }).text;
  for (let index = 0; index < CONVERSATIONS; index++) {
    const { messages } = JSON.parse(conversationRow(index)) as { messages: Message[] };
    for (const { role, content } of messages) yield* [role, '\n', content];
  }
}

/** `tokenizer.json` of Hugging Face: special tokens, then the 256 bytes, then one token for each merge. */
export function tokenizerJson(): object {
  const merges = learnMerges(texts(), VOCABULARY - SPECIAL_TOKENS.length - BYTE_CHARACTERS.length);
  const tokens = [...SPECIAL_TOKENS, ...BYTE_CHARACTERS, ...merges.map(([left, right]) => left + right)];
  if (new Set(tokens).size !== VOCABULARY) throw new Error('two merges make the same token');
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_TOKENS.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
}

const tokenizerConfig = {
  tokenizer_class: 'PreTrainedTokenizerFast',
  bos_token: null,
  eos_token: '<|im_end|>',
  pad_token: '<|pad|>',
  unk_token: null,
  add_bos_token: false,
  add_prefix_space: false,
  clean_up_tokenization_spaces: false,
  model_max_length: 512,
  chat_template: CHAT_TEMPLATE,
};

if (import.meta.main) {
  const model = join(starterProject, 'model');
  mkdirSync(model, { recursive: true });
  writeFileSync(join(model, 'tokenizer.json'), `${JSON.stringify(tokenizerJson(), null, 1)}\n`);
  writeFileSync(join(model, 'tokenizer_config.json'), `${JSON.stringify(tokenizerConfig, null, 2)}\n`);
}
