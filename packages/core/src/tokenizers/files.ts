import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@anneal/formats/errors';
import { readSmallFile } from '@anneal/formats/files/randomAccess';
import { openGguf } from '@anneal/formats/gguf/read';
import { tokenizerFromGguf } from '@anneal/formats/gguf/tokenizer';
import { type JsonObject, parseJsonObject } from '@anneal/formats/json';
import { LIMITS } from '@anneal/formats/limits';
import { chatTemplateValue, readChatTemplates } from '../templates/chatTemplates.ts';
import { configOf } from './configuredTokens.ts';

/** The two files as values, for tokenizers that come out of something else, such as a GGUF. */
export interface TokenizerFiles {
  readonly tokenizerJson: string | JsonObject;
  readonly tokenizerConfig: JsonObject;
}

/**
 * Reads `tokenizer.json`, `tokenizer_config.json` and, where they are, `special_tokens_map.json`, `added_tokens.json` and the chat
 * templates of a folder;
 * or rebuilds them from a GGUF file.
 * @throws UserError `tokenizer_missing`
 */
export function readTokenizerFiles(path: string): TokenizerFiles {
  if (!path.endsWith('.gguf')) return readFolder(path);
  const gguf = openGguf(path);
  try {
    return tokenizerFromGguf(gguf.metadata, path);
  } finally {
    gguf.close();
  }
}

function readFolder(folder: string): TokenizerFiles {
  const path = join(folder, 'tokenizer.json');
  if (!existsSync(path)) {
    const sentencePiece = existsSync(join(folder, 'tokenizer.model'));
    throw new UserError({
      what: sentencePiece ? 'the folder has only a SentencePiece tokenizer.model' : 'the folder has no tokenizer.json',
      where: folder,
      next: 'take a copy of the model that has tokenizer.json (transformers writes it with AutoTokenizer…save_pretrained)',
      code: 'tokenizer_missing',
    });
  }
  const optional = (name: string): JsonObject | null => {
    const file = join(folder, name);
    return existsSync(file) ? parseJsonObject(readSmallFile(file, LIMITS.configBytes), file) : null;
  };
  const templates = readChatTemplates(folder);
  return {
    tokenizerJson: new TextDecoder().decode(readSmallFile(path, LIMITS.tokenizerBytes)),
    tokenizerConfig: { ...configOf(optional), chat_template: templates && chatTemplateValue(templates) },
  };
}
