import { readFileSync } from 'node:fs';
import { parseJsonObject } from '@anneal/formats/json';
import { type ChatRenderer, openChatRenderer } from '../datasets/render.ts';
import { UserError } from '../errors.ts';
import type { OpenModel } from '../models/model.ts';
import { openTokenizer, type Tokenizer } from '../tokenizers/tokenizer.ts';

/** How a model reads and writes text. */
export interface ModelText {
  readonly tokenizer: Tokenizer;
  /** null for a model without a chat template: it only continues plain text. */
  readonly renderer: ChatRenderer | null;
  /** Tokens that end an answer. */
  readonly stopIds: ReadonlySet<number>;
}

export interface ModelTextOptions {
  /** Path of a Jinja file, or null for the model's own. */
  readonly chatTemplate?: string | null | undefined;
  readonly templateVariables?: Readonly<Record<string, unknown>> | undefined;
  readonly enableThinking?: boolean | undefined;
}

/** @throws UserError when the model has no tokenizer or one of another model, or the template is invalid */
export function openModelText(model: OpenModel, options: ModelTextOptions = {}): ModelText {
  const tokenizer = openModelTokenizer(model);
  const source = options.chatTemplate
    ? readFileSync(options.chatTemplate, 'utf8')
    : (tokenizer.chatTemplate ?? model.chatTemplate);
  const endTokens = model.config.eosTokenIds.map((id) => tokenizer.addedTokens.find((token) => token.id === id)?.text);
  const renderer =
    source === null
      ? null
      : openChatRenderer(tokenizer, {
          source,
          endTokens: endTokens.filter((text) => text !== undefined),
          ...(options.enableThinking !== undefined && { enableThinking: options.enableThinking }),
          ...(options.templateVariables && { variables: options.templateVariables }),
        });
  const turnEnds = (renderer?.endTokens ?? []).map((text) => tokenizer.idOf(text));
  const ends = [...model.config.eosTokenIds, tokenizer.eos?.id, ...turnEnds];
  return { tokenizer, renderer, stopIds: new Set(ends.filter((id) => id !== undefined && id !== null)) };
}

function openModelTokenizer(model: OpenModel): Tokenizer {
  const read = (name: string) => Buffer.from(model.readTokenizerFile(name)).toString('utf8');
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) {
    if (model.tokenizerFiles.includes(name)) continue;
    throw new UserError({
      what: `the model has no ${name}`,
      where: model.path,
      next: 'use a model folder that holds its fast tokenizer (tokenizer.json and tokenizer_config.json)',
      code: 'tokenizer_missing',
    });
  }
  const tokenizerConfig = parseJsonObject(
    Buffer.from(model.readTokenizerFile('tokenizer_config.json')),
    `${model.path}/tokenizer_config.json`,
  );
  const tokenizer = openTokenizer({ tokenizerJson: read('tokenizer.json'), tokenizerConfig });
  if (tokenizer.vocabSize > model.config.vocabSize) {
    throw new UserError({
      what: `the tokenizer has tokens up to id ${tokenizer.vocabSize - 1}, the embedding only ${model.config.vocabSize} rows`,
      where: model.path,
      next: 'use the tokenizer that came with the model, or a copy of the model whose embedding was enlarged for it',
      code: 'vocabulary_too_large',
    });
  }
  return tokenizer;
}

/** The ids with which an answer to `messages` begins. @throws UserError when the model has no chat template */
export async function encodePrompt(
  { tokenizer, renderer }: ModelText,
  messages: readonly unknown[],
): Promise<Int32Array> {
  if (!renderer) {
    throw new UserError({
      what: 'the model has no chat template, so it cannot answer messages',
      next: 'give a template, or let it continue plain text',
      code: 'template_missing',
    });
  }
  const text = renderer.template.render(messages, { ...renderer.options, addGenerationPrompt: true });
  return Int32Array.from((await tokenizer.encode(text)).ids);
}
