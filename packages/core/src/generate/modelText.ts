import { readSmallFile } from '@anneal/formats/files/randomAccess';
import { parseJsonObject } from '@anneal/formats/json';
import { LIMITS } from '@anneal/formats/limits';
import { type ChatRenderer, openChatRenderer } from '../datasets/chatRenderer.ts';
import { UserError } from '../errors.ts';
import type { OpenModel } from '../models/model.ts';
import { type PromptFormat, templateOfPrompt } from '../templates/promptFormat.ts';
import { TemplateError } from '../templates/template.ts';
import { surroundingsOf } from '../tokenizers/byteLevel/postProcessor.ts';
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
  /** A prompt that a recipe writes out, instead of a chat template. */
  readonly promptFormat?: PromptFormat | null | undefined;
  readonly templateVariables?: Readonly<Record<string, unknown>> | undefined;
  readonly enableThinking?: boolean | undefined;
  /** What `strftime_now` says; without it the moment of opening. */
  readonly now?: Date | undefined;
}

/** @throws UserError when the model has no tokenizer or one of another model, or the template is invalid */
export function openModelText(model: OpenModel, options: ModelTextOptions = {}): ModelText {
  const tokenizer = openModelTokenizer(model);
  const source = chosenTemplate(model, options) ?? tokenizer.chatTemplate ?? model.chatTemplate;
  const endTokens = model.config.eosTokenIds.map((id) => tokenizer.addedTokens.find((token) => token.id === id)?.text);
  const renderer =
    source === null
      ? null
      : openChatRenderer(tokenizer, {
          source,
          endTokens: endTokens.filter((text) => text !== undefined),
          now: options.now ?? new Date(),
          ...(options.enableThinking !== undefined && { enableThinking: options.enableThinking }),
          ...(options.templateVariables && { variables: options.templateVariables }),
        });
  const turnEnds = (renderer?.endTokens ?? []).map((text) => tokenizer.idOf(text));
  const ends = [...model.config.eosTokenIds, tokenizer.eos?.id, ...turnEnds];
  return { tokenizer, renderer, stopIds: new Set(ends.filter((id) => id !== undefined && id !== null)) };
}

/** The template that takes the place of the model's own; null where nothing does. @throws UserError */
export function chosenTemplate(model: OpenModel, { chatTemplate, promptFormat }: ModelTextOptions): string | null {
  if (promptFormat) return templateOfPrompt(promptFormat, addsBos(model));
  return chatTemplate ? readChatTemplate(chatTemplate) : null;
}

/** Whether the tokenizer puts its BOS token before a plain text. */
function addsBos(model: OpenModel): boolean {
  const tokenizer = parseJsonObject(
    Buffer.from(model.readTokenizerFile('tokenizer.json')),
    `${model.path}/tokenizer.json`,
  );
  return (surroundingsOf(tokenizer['post_processor'])?.before.length ?? 0) > 0;
}

/** The text of a Jinja file. @throws UserError */
function readChatTemplate(path: string): string {
  return Buffer.from(readSmallFile(path, LIMITS.configBytes)).toString('utf8');
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
  const tokenizer = openTokenizer({ tokenizerJson: read('tokenizer.json'), tokenizerConfig }, model.path);
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

/** The ids with which an answer to `messages` begins. @throws UserError when there is no chat template, or it refuses them */
export async function encodePrompt(
  { tokenizer, renderer }: ModelText,
  messages: readonly unknown[],
): Promise<Int32Array> {
  if (!renderer) {
    throw new UserError({
      what: 'the model has no chat template, so it cannot answer messages',
      next: 'set `chat_template` in the recipe, or let it continue plain text (`anneal chat --plain`)',
      code: 'template_missing',
    });
  }
  return Int32Array.from((await tokenizer.encode(renderPrompt(renderer, messages))).ids);
}

function renderPrompt({ template, options }: ChatRenderer, messages: readonly unknown[]): string {
  try {
    return template.render(messages, { ...options, addGenerationPrompt: true });
  } catch (cause) {
    if (!(cause instanceof TemplateError)) throw cause;
    throw new UserError({
      what: `the chat template refuses these messages: ${cause.message}`,
      next: 'change the messages or their roles, or use another chat template',
      code: 'template_refused',
      cause,
    });
  }
}
