/** Learns the starter's tokenizer from the text of `text.ts` and writes it into `../model`: node tokenizer.ts */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BYTE_CHARACTERS } from '@anneal/core/tokenizers/byteLevel/byteAlphabet';
import { byteLevelJson } from '@anneal/core/tokenizers/byteLevel/byteLevelJson';
import type { JsonObject } from '@anneal/formats/json';
import { learnMerges } from './bytePairs.ts';
import type { Message } from './conversations.ts';
import { starterProject } from './project.ts';
import { CONVERSATIONS, conversationRow, STORIES, storyRow } from './text.ts';

export const VOCABULARY = 1280;
const SPECIAL_TOKENS = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<|pad|>'];

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

export function tokenizerJson(): JsonObject {
  const merges = learnMerges(texts(), VOCABULARY - SPECIAL_TOKENS.length - BYTE_CHARACTERS.length);
  return byteLevelJson(SPECIAL_TOKENS, merges);
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
