import { UserError } from '@anneal/formats/errors';
import {
  openTemplate,
  type RenderedMessages,
  type RenderOptions,
  type Template,
  TemplateError,
} from '../templates/template.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import { type CallForm, callFormOf, inCallForm, TOOL } from './callForm.ts';
import { templateOfTexts } from './contentForm.ts';
import { tryTemplate } from './templateTrial.ts';
import type { Conversation, Message } from './types.ts';

/** What turns conversations into text: a model's template with the tokens that end its turns. */
export interface ChatRenderer {
  readonly template: Template;
  /** Texts of the tokens an answer may end with: at these the model stops. */
  readonly endTokens: readonly string[];
  /** Others that the template puts after an answer when the conversation goes on (`<|end|>` of gpt-oss): no model stops there. */
  readonly closingTokens: readonly string[];
  /** Tokens at which the model stops and that open the turn behind an answer or a call (`<|user|>` of GLM), where these have none of their own. */
  readonly stopBehind: { readonly answer: string | null; readonly call: string | null };
  /** Control tokens that the template prints of any conversation: a message that holds one may have been rendered before. */
  readonly turnTokens: readonly string[];
  readonly callForm: CallForm;
  readonly options: Pick<RenderOptions, 'enableThinking' | 'variables' | 'now'>;
  /** Of the template for conversations with tools, where the model has one of its own for them. */
  readonly withTools?: ChatRenderer | undefined;
}

/**
 * @param source a Jinja template instead of the tokenizer's own
 * @param toolSource another one for conversations with tools
 * @param endTokens further tokens that end a turn, such as those of generation_config.json
 * @throws UserError `template_missing`, `template_invalid`
 */
export function openChatRenderer(
  tokenizer: Tokenizer,
  {
    source = tokenizer.chatTemplate,
    toolSource = null,
    endTokens = [],
    ...options
  }: {
    source?: string | null;
    toolSource?: string | null;
    endTokens?: readonly string[];
  } & ChatRenderer['options'] = {},
): ChatRenderer {
  if (source === null) throw templateMissing();
  const renderer = rendererOf(tokenizer, source, endTokens, options);
  if (toolSource === null) return renderer;
  const withTools = rendererOf(tokenizer, toolSource, renderer.endTokens, options, [TOOL]);
  return { ...renderer, endTokens: withTools.endTokens, withTools };
}

/** What renders a conversation with these tools. */
export function rendererFor(renderer: ChatRenderer, tools: readonly unknown[] | null): ChatRenderer {
  return tools !== null && tools.length > 0 && renderer.withTools ? renderer.withTools : renderer;
}

/** Every template that a conversation may be rendered with. */
export function sourcesOf({ template, withTools }: ChatRenderer): string[] {
  return [template, ...(withTools ? [withTools.template] : [])].map(({ source }) => source);
}

function rendererOf(
  tokenizer: Tokenizer,
  source: string,
  endTokens: readonly string[],
  options: ChatRenderer['options'],
  tools: readonly unknown[] | null = null,
): ChatRenderer {
  const { bos, eos, pad, unk } = tokenizer;
  const texts = { bos: bos?.text, eos: eos?.text, pad: pad?.text, unk: unk?.text };
  const template = templateOfTexts(openTemplate(source, texts), options);
  const answerEnds = endsOfAnswer(template, tokenizer, { ...options, tools });
  const callForm = callFormOf(template, options);
  const own = [
    ...(eos === null ? [] : [eos.text]),
    ...answerEnds,
    ...endOfCall(template, tokenizer, { ...options, tools }, callForm),
  ];
  const ends = [...new Set([...own, ...endTokens])];
  const closing = closingOf(template, tokenizer, { ...options, tools }).filter((token) => !ends.includes(token));
  const stopBehind = stopsBehind(template, ends, { ...options, tools }, callForm);
  const turnTokens = turnTokensOf(template, tokenizer, { ...options, tools });
  return { template, endTokens: ends, closingTokens: closing, stopBehind, turnTokens, callForm, options };
}

export const templateMissing = (): UserError =>
  new UserError({
    what: 'the model has no chat template, so conversations cannot be turned into text',
    next: 'set `chat_template` in the recipe, or train on plain text (`type: completion`)',
    code: 'template_missing',
  });

/** A conversation as the renderer's template prints it, or why it does not. */
export function renderMessages(
  { template, options }: ChatRenderer,
  { tools }: Pick<Conversation, 'tools'>,
  messages: readonly Message[],
  addGenerationPrompt = false,
): RenderedMessages | TemplateError {
  try {
    return template.renderMessages(messages, { ...options, tools, addGenerationPrompt });
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
}

const ANSWER = 'This is the answer';
const QUESTION = { role: 'user', content: 'A question' };
const CALL: Message = {
  role: 'assistant',
  content: '',
  tool_calls: [{ id: 'callcall1', type: 'function', function: { name: 'look', arguments: { at: ANSWER } } }],
};

/** The control tokens that the template itself puts after an answer; the tokenizer's EOS is not always among them. */
function endsOfAnswer(template: Template, tokenizer: Tokenizer, options: RenderOptions): string[] {
  const text = tryTemplate(() => template.render([QUESTION, { role: 'assistant', content: ANSWER }], options));
  if (text instanceof TemplateError) return []; // it wants other roles; the tokenizer's EOS still counts
  const texts = tokenizer.addedTokens.map((token) => token.text).filter((token) => token.trim() !== '');
  const longestFirst = texts.toSorted((a, b) => b.length - a.length);
  const found: string[] = [];
  let tail = text.slice(text.lastIndexOf(ANSWER) + ANSWER.length).trimStart();
  for (let token = longestFirst.find((candidate) => tail.startsWith(candidate)); token !== undefined; ) {
    found.push(token);
    tail = tail.slice(token.length).trimStart();
    token = longestFirst.find((candidate) => tail.startsWith(candidate));
  }
  return found;
}

/** The control token that an answer ends with when another question follows. */
function closingOf(template: Template, tokenizer: Tokenizer, options: RenderOptions): string[] {
  const messages = [QUESTION, { role: 'assistant', content: ANSWER }, QUESTION];
  const whole = tryTemplate(() => template.renderMessages(messages, options));
  const range = whole instanceof TemplateError ? null : whole.messages[1];
  if (!range || whole instanceof TemplateError) return [];
  return controlTokenEnding(whole.text.slice(range.start, range.end), tokenizer);
}

function turnTokensOf(template: Template, tokenizer: Tokenizer, options: RenderOptions): string[] {
  const messages = [QUESTION, { role: 'assistant', content: ANSWER }, QUESTION];
  const text = tryTemplate(() => template.render(messages, { ...options, addGenerationPrompt: true }));
  if (text instanceof TemplateError) return [];
  return tokenizer.addedTokens.filter((token) => token.special && text.includes(token.text)).map((token) => token.text);
}

function stopsBehind(
  template: Template,
  ends: readonly string[],
  options: RenderOptions,
  form: CallForm,
): ChatRenderer['stopBehind'] {
  const behind = (messages: readonly Message[]): string | null => {
    const whole = tryTemplate(() => template.renderMessages(inCallForm(messages, form), options));
    const range = whole instanceof TemplateError ? null : whole.messages[1];
    if (!range || whole instanceof TemplateError) return null;
    const next = whole.text.slice(range.end).trimStart();
    return ends.find((token) => next.startsWith(token)) ?? null;
  };
  const answer = { role: 'assistant', content: ANSWER };
  return {
    answer: behind([QUESTION, answer, QUESTION]),
    call: behind([QUESTION, CALL, { role: 'tool', content: ANSWER, tool_call_id: 'callcall1' }]),
  };
}

/** The control token after a call of a tool, which may be another one (`<|eom_id|>`, `<|call|>`). */
function endOfCall(template: Template, tokenizer: Tokenizer, options: RenderOptions, form: CallForm): string[] {
  const messages = inCallForm([QUESTION, CALL], form);
  const text = tryTemplate(() => template.render(messages, options));
  if (text instanceof TemplateError) return [];
  const at = text.lastIndexOf(ANSWER);
  if (at < 0) return []; // it prints no calls
  return controlTokenEnding(text.slice(at + ANSWER.length), tokenizer);
}

function controlTokenEnding(text: string, tokenizer: Tokenizer): string[] {
  const tail = text.trimEnd();
  const end = tokenizer.addedTokens.find((token) => token.special && tail.endsWith(token.text));
  return end === undefined ? [] : [end.text];
}
