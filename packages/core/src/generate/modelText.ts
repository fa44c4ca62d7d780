import { isDeepStrictEqual } from 'node:util';
import { readSmallFile } from '@anneal/formats/files/randomAccess';
import { type JsonObject, parseJsonObject } from '@anneal/formats/json';
import { LIMITS } from '@anneal/formats/limits';
import { inCallForm } from '../datasets/callForm.ts';
import { type ChatRenderer, openChatRenderer, rendererFor } from '../datasets/chatRenderer.ts';
import type { Message } from '../datasets/types.ts';
import { UserError } from '../errors.ts';
import { readableTokens } from '../models/config.ts';
import type { OpenModel } from '../models/model.ts';
import { withChatTemplates } from '../models/withChatTemplates.ts';
import { type ChatTemplates, chatTemplateValue, toolTemplate } from '../templates/chatTemplates.ts';
import { namedTemplate } from '../templates/namedTemplates.ts';
import { type PromptFormat, templateOfPrompt } from '../templates/promptFormat.ts';
import { TemplateError } from '../templates/template.ts';
import { withDefaults } from '../templates/templateDefaults.ts';
import { isTemplateName } from '../templates/templateNames.ts';
import { surroundingsOf } from '../tokenizers/byteLevel/postProcessor.ts';
import { configOf } from '../tokenizers/configuredTokens.ts';
import { openTokenizer, type Tokenizer } from '../tokenizers/tokenizer.ts';
import { readableIds, withoutTokensBeyond } from '../tokenizers/tokensWithoutRow.ts';

/** How a model reads and writes text. */
export interface ModelText {
  readonly tokenizer: Tokenizer;
  /** null for a model without a chat template: it only continues plain text. */
  readonly renderer: ChatRenderer | null;
  /** Tokens that end an answer. */
  readonly stopIds: ReadonlySet<number>;
}

export interface ModelTextOptions {
  /** Path of a Jinja file, the name of a template, or null for the model's own. */
  readonly chatTemplate?: string | null | undefined;
  /** Templates instead of the model's own, such as those that lie with an adapter. */
  readonly chatTemplates?: ChatTemplates | null | undefined;
  /** A prompt that a recipe writes out, instead of a chat template. */
  readonly promptFormat?: PromptFormat | null | undefined;
  readonly templateVariables?: Readonly<Record<string, unknown>> | undefined;
  readonly enableThinking?: boolean | undefined;
  /** What `strftime_now` says; without it the moment of opening. */
  readonly now?: Date | undefined;
}

/** @throws UserError when the model has no tokenizer or one of another model, or the template is invalid */
export function openModelText(model: OpenModel, options: ModelTextOptions = {}): ModelText {
  const chosen = withChosenTemplate(model, options);
  const { chatTemplates } = chosen;
  const tokenizer = openModelTokenizer(chosen);
  const endTokens = model.config.eosTokenIds.map((id) => tokenizer.addedTokens.find((token) => token.id === id)?.text);
  const renderer =
    chatTemplates === null
      ? null
      : openChatRenderer(tokenizer, {
          source: chatTemplates.default,
          toolSource: toolTemplate(chatTemplates),
          endTokens: endTokens.filter((text) => text !== undefined),
          now: options.now ?? new Date(),
          ...(options.enableThinking !== undefined && { enableThinking: options.enableThinking }),
          ...(options.templateVariables && { variables: options.templateVariables }),
        });
  const turnEnds = (renderer?.endTokens ?? []).map((text) => tokenizer.idOf(text));
  const ends = [...model.config.eosTokenIds, tokenizer.eos?.id, ...turnEnds];
  return { tokenizer, renderer, stopIds: new Set(ends.filter((id) => id !== undefined && id !== null)) };
}

/** The model with the templates that these options put in the place of its own, for every conversation. @throws UserError */
export function withChosenTemplate(model: OpenModel, options: ModelTextOptions): OpenModel {
  const templates = chosenTemplates(model, options);
  return templates === null ? model : withChatTemplates(model, templates);
}

/** The model as it is handed on: its templates know the variables that it was trained with. */
export function withTemplateDefaults(model: OpenModel, options: ModelTextOptions): OpenModel {
  const { chatTemplates } = model;
  const { enableThinking, templateVariables } = options;
  const variables = { ...(enableThinking !== undefined && { enable_thinking: enableThinking }), ...templateVariables };
  if (chatTemplates === null || Object.keys(variables).length === 0) return model;
  const named = Object.entries(chatTemplates.named).map(([name, source]) => [name, withDefaults(source, variables)]);
  const templates = { default: withDefaults(chatTemplates.default, variables), named: Object.fromEntries(named) };
  return isDeepStrictEqual(templates, chatTemplates) ? model : withChatTemplates(model, templates);
}

function chosenTemplates(
  model: OpenModel,
  { chatTemplate, chatTemplates, promptFormat }: ModelTextOptions,
): ChatTemplates | null {
  if (promptFormat) return { default: templateOfPrompt(promptFormat, addsBos(model)), named: {} };
  if (chatTemplate) {
    const isName = isTemplateName(chatTemplate);
    const source = isName ? namedTemplate(chatTemplate, addsBos(model)) : readChatTemplate(chatTemplate);
    return { default: source, named: {} };
  }
  return chatTemplates ?? null;
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

/** @throws UserError when the model has no tokenizer, or one of another model */
export function openModelTokenizer(model: OpenModel): Tokenizer {
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
  const readJson = (name: string): JsonObject | null =>
    model.tokenizerFiles.includes(name)
      ? parseJsonObject(model.readTokenizerFile(name), `${model.path}/${name}`)
      : null;
  const tokenizerConfig = {
    ...configOf(readJson),
    chat_template: model.chatTemplates && chatTemplateValue(model.chatTemplates),
  };
  const text = read('tokenizer.json');
  const tokenizer = openTokenizer({ tokenizerJson: text, tokenizerConfig }, model.path);
  const { vocabSize: rows } = model.config;
  const readable = readableTokens(model.config);
  const withoutRow = tokenizer.addedTokens.filter(({ id }) => id >= readable);
  if (tokenizer.vocabSize <= rows) return { ...tokenizer, withoutRow };
  const within = withoutTokensBeyond({ tokenizerJson: JSON.parse(text), tokenizerConfig }, rows, model.path);
  const { default: source = '', named = {} } = model.chatTemplates ?? {};
  const needed = [tokenizer.bos, tokenizer.eos, tokenizer.unk].flatMap((token) => token?.text ?? []);
  const places = [...needed, source, ...Object.values(named)];
  const used = withoutRow.find((token) => token.id >= rows && places.some((place) => place.includes(token.text)))?.text;
  if (used === undefined && openTokenizer(within, model.path).vocabSize <= rows) return { ...tokenizer, withoutRow };
  throw new UserError({
    what: `the tokenizer has tokens up to id ${tokenizer.vocabSize - 1}, the embedding only ${rows} rows${used === undefined ? '' : `, and ${used} is used`}`,
    where: model.path,
    next: 'use the tokenizer that came with the model, or a copy of the model whose embedding was enlarged for it',
    code: 'vocabulary_too_large',
  });
}

/**
 * The ids with which an answer to `messages` begins.
 * @param tools definitions of what the model may call, as JSON schemas of functions
 * @param enableThinking where it differs from what the text was opened with
 * @throws UserError when there is no chat template, it refuses them, or they hold what the model cannot read
 */
export async function encodePrompt(
  { tokenizer, renderer }: ModelText,
  messages: readonly unknown[],
  tools: readonly unknown[] | null = null,
  enableThinking?: boolean,
): Promise<Int32Array> {
  if (!renderer) {
    throw new UserError({
      what: 'the model has no chat template, so it cannot answer messages',
      next: 'set `chat_template` in the recipe, or let it continue plain text (`anneal chat --plain`)',
      code: 'template_missing',
    });
  }
  const chosen = rendererFor(renderer, tools);
  const options = { ...chosen.options, ...(enableThinking !== undefined && { enableThinking }) };
  const tokenized = await tokenizer.encode(renderPrompt({ ...chosen, options }, messages, tools));
  return readableIds(tokenizer, tokenized);
}

function renderPrompt(
  { template, options, callForm }: ChatRenderer,
  messages: readonly unknown[],
  tools: readonly unknown[] | null,
): string {
  try {
    const asked = inCallForm(messages as readonly Message[], callForm);
    return template.render(asked, { ...options, tools, addGenerationPrompt: true });
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
