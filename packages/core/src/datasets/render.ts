import { UserError } from '@anneal/formats/errors';
import {
  openTemplate,
  type RenderedMessages,
  type RenderOptions,
  type Template,
  TemplateError,
} from '../templates/template.ts';
import type { Tokenizer } from '../tokenizers/tokenizer.ts';
import {
  type Content,
  type Conversation,
  dropped,
  type Message,
  type Rendered,
  type Span,
  type Turn,
  type Verdict,
} from './types.ts';

/** Which tokens the loss counts. */
export interface MaskOptions {
  readonly rolesToTrain: readonly string[];
  /** End tokens counted: of trained turns, of all turns, of the last turn, of none. */
  readonly trainOnEos: 'turn' | 'all' | 'last' | 'none';
  /** Everything is counted, whatever the roles. */
  readonly trainOnInputs?: boolean;
}

/** What turns conversations into text: a model's template with the tokens that end its turns. */
export interface ChatRenderer {
  readonly template: Template;
  /** Texts of the tokens a turn may end with. */
  readonly endTokens: readonly string[];
  readonly options: Pick<RenderOptions, 'enableThinking' | 'variables' | 'now'>;
}

export type Dropped = Verdict & { kind: 'dropped' };

/**
 * @param source a Jinja template instead of the tokenizer's own
 * @param endTokens further tokens that end a turn, such as those of generation_config.json
 * @throws UserError `template_missing`, `template_invalid`
 */
export function openChatRenderer(
  tokenizer: Tokenizer,
  {
    source = tokenizer.chatTemplate,
    endTokens = [],
    ...options
  }: { source?: string | null; endTokens?: readonly string[] } & ChatRenderer['options'] = {},
): ChatRenderer {
  if (source === null) throw templateMissing();
  const { bos, eos, pad, unk } = tokenizer;
  const template = openTemplate(source, { bos: bos?.text, eos: eos?.text, pad: pad?.text, unk: unk?.text });
  const own = [...(eos === null ? [] : [eos.text]), ...endTokensOf(template, tokenizer, options)];
  return { template, endTokens: [...new Set([...own, ...endTokens])], options };
}

const templateMissing = (): UserError =>
  new UserError({
    what: 'the model has no chat template, so conversations cannot be turned into text',
    next: 'set `chat_template` in the recipe, or train on plain text (`type: completion`)',
    code: 'template_missing',
  });

/** The control tokens that the template itself puts after an answer; the tokenizer's EOS is not always among them. */
function endTokensOf(template: Template, tokenizer: Tokenizer, options: RenderOptions): string[] {
  const answer = 'This is the answer';
  let text: string;
  try {
    text = template.render(
      [
        { role: 'user', content: 'A question' },
        { role: 'assistant', content: answer },
      ],
      options,
    );
  } catch (error) {
    if (error instanceof TemplateError) return []; // it wants other roles; the tokenizer's EOS still counts
    throw error;
  }
  const texts = tokenizer.addedTokens.map((token) => token.text).filter((token) => token.trim() !== '');
  const longestFirst = texts.toSorted((a, b) => b.length - a.length);
  const found: string[] = [];
  let tail = text.slice(text.lastIndexOf(answer) + answer.length).trimStart();
  for (let token = longestFirst.find((candidate) => tail.startsWith(candidate)); token !== undefined; ) {
    found.push(token);
    tail = tail.slice(token.length).trimStart();
    token = longestFirst.find((candidate) => tail.startsWith(candidate));
  }
  return found;
}

/** Plain text is trained as it is; conversations are rendered by the template, every turn found in the result. */
export function render(renderer: ChatRenderer | null, content: Content, mask: MaskOptions): Rendered | Dropped {
  if (content.kind === 'chat') {
    if (renderer === null) throw templateMissing();
    return renderChat(renderer, content, mask);
  }
  if (content.text === '') return dropped('empty', 'the text is empty');
  return { kind: 'text', text: content.text, turns: [], supervised: [{ start: 0, end: content.text.length }] };
}

/**
 * A turn's supervised part begins where the generation prompt ends, since that is what the model is given when it answers, and ends with its end
 * token. Everything is read off the conversation as finally rendered, so that a template which rewrites earlier turns is trained as it will be used.
 */
function renderChat(renderer: ChatRenderer, conversation: Conversation, mask: MaskOptions): Rendered | Dropped {
  const { messages, train } = conversation;
  if (messages.length === 0) return dropped('empty', 'the conversation has no messages');
  const whole = renderMessages(renderer, conversation, messages);
  if (whole instanceof TemplateError) return dropped('template_refused', whole.message);
  const { text } = whole;
  const headers = new Headers(renderer, conversation);
  const turns: Turn[] = [];
  for (const [i, message] of messages.entries()) {
    const wanted = train[i] ?? mask.rolesToTrain.includes(message.role);
    if (wanted && isEmptyAnswer(message)) return dropped('empty', `message ${i + 1} (${message.role}) says nothing`);
    const wantsEnd =
      mask.trainOnEos === 'all' ||
      (mask.trainOnEos === 'turn' && wanted) ||
      (mask.trainOnEos === 'last' && i === messages.length - 1);
    const range = whole.messages[i];
    if (!range) {
      if (wanted && !mask.trainOnInputs)
        return dropped('turn_not_found', `the template does not print message ${i + 1} (${message.role}) on its own`);
      continue;
    }
    let supervised: Span | null = null;
    if (!mask.trainOnInputs && (wanted || wantsEnd)) {
      const end = endOf(text, range, renderer.endTokens);
      if (wanted) {
        const start = headers.endOf(i, text, range);
        if (start === null || start > end.content)
          return dropped(
            'turn_not_found',
            `cannot tell where message ${i + 1} (${message.role}) begins in the rendered text`,
          );
        if (wantsEnd && end.token === null)
          return dropped(
            'missing_end_token',
            `the template puts no end token after message ${i + 1} (${message.role})`,
          );
        if (losesContent(message, text.slice(start, end.content))) {
          return dropped('content_lost', `the template leaves out what message ${i + 1} (${message.role}) says`);
        }
        supervised = { start, end: wantsEnd ? (end.token as number) : end.content };
      } else if (end.token !== null) supervised = { start: end.content, end: end.token };
    }
    if (supervised?.start === supervised?.end) supervised = null;
    turns.push({ role: message.role, message: i, ...range, supervised });
  }
  turns.sort((a, b) => a.start - b.start);
  const supervised = mask.trainOnInputs
    ? [{ start: 0, end: text.length }]
    : turns.flatMap((turn) => turn.supervised ?? []);
  return { kind: 'chat', text, turns, supervised };
}

/** Of an empty answer only the end token would be learnt: to say nothing. A call of a tool is an answer. */
function isEmptyAnswer(message: Message): boolean {
  const { role, tool_calls: calls = [] } = message;
  return role === 'assistant' && calls.length === 0 && !saysSomething(message);
}

/** A template that knows no tool calls, or no thinking, prints an empty answer in their place, which must not be learnt. */
function losesContent(message: Message, printed: string): boolean {
  const { tool_calls: calls = [] } = message;
  return (
    calls.some((call) => !printed.includes(call.function.name)) || (saysSomething(message) && printed.trim() === '')
  );
}

/** Where an answer stands, and where templates look for what was thought before it. */
const WORDS = ['content', 'reasoning_content', 'reasoning', 'thinking'];

const saysSomething = (message: Message): boolean =>
  WORDS.some((field) => {
    const words = message[field];
    return typeof words === 'string' && words.trim() !== '';
  });

/** Where a turn's content ends, and where the end token after it does; white space behind that belongs to the template. */
function endOf(text: string, range: Span, endTokens: readonly string[]): { content: number; token: number | null } {
  const end = range.start + text.slice(range.start, range.end).trimEnd().length;
  const token = endTokens.find((candidate) => text.slice(range.start, end).endsWith(candidate));
  return token === undefined ? { content: range.end, token: null } : { content: end - token.length, token: end };
}

/** Finds what the template prints before a message's content. */
class Headers {
  readonly #renderer: ChatRenderer;
  readonly #conversation: Conversation;
  /** The generation prompt, by the role of the message before it: the same for all turns of one conversation. */
  readonly #prompts = new Map<string, string | null>();

  constructor(renderer: ChatRenderer, conversation: Conversation) {
    this.#renderer = renderer;
    this.#conversation = conversation;
  }

  /** Position in `text` after the header of message `i`, which lies at `range`; null when it cannot be told. */
  endOf(i: number, text: string, range: Span): number | null {
    const turn = text.slice(range.start, range.end);
    if (this.#conversation.messages[i]?.role === 'assistant') {
      const prompt = this.#promptBefore(i);
      if (prompt !== null && turn.startsWith(prompt)) return range.start + prompt.length;
    }
    const header = this.#probe(i, turn);
    return header === null ? null : range.start + header;
  }

  /** What the template prints for the model to go on after the messages before `i`. */
  #promptBefore(i: number): string | null {
    const { messages } = this.#conversation;
    const role = messages[i - 1]?.role ?? '';
    let prompt = this.#prompts.get(role);
    if (prompt === undefined) {
      const rendered = renderMessages(this.#renderer, this.#conversation, messages.slice(0, i), true);
      prompt = rendered instanceof TemplateError ? null : rendered.text.slice(rendered.end) || null;
      this.#prompts.set(role, prompt);
    }
    return prompt;
  }

  /** The length of what stays the same when the content becomes another. A blank before a word belongs to the word. */
  #probe(i: number, turn: string): number | null {
    let header = turn;
    for (const content of ['Alpha', 'Ωmega']) {
      const messages = this.#conversation.messages.map(
        (message, k): Message => (k === i ? { ...message, content } : message),
      );
      const rendered = renderMessages(this.#renderer, this.#conversation, messages);
      if (rendered instanceof TemplateError) return null;
      const range = rendered.messages[i];
      if (!range) return null;
      header = commonPrefix(header, rendered.text.slice(range.start, range.end));
    }
    return header.replace(/ +$/, '').length;
  }
}

function renderMessages(
  { template, options }: ChatRenderer,
  { tools }: Conversation,
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

function commonPrefix(a: string, b: string): string {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return a.slice(0, length);
}
