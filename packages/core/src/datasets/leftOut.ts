import { type RenderedMessages, TemplateError } from '../templates/template.ts';
import { inCallForm } from './callForm.ts';
import { type ChatRenderer, rendererFor, renderMessages } from './chatRenderer.ts';
import { occurrences } from './turnFinder.ts';
import { type Conversation, type LeftOut, type Message, type Span, THOUGHTS, type ToolCall } from './types.ts';

/** Words that no data hold, put into a text at its beginning, middle and end to see whether all of it is printed. */
const MARKS = ['zqxjab', 'zqxjmb', 'zqxjeb'] as const;
/** Behind the words for such a template: what to do. */
export const BEGINS_THOUGHTS =
  'begins thoughts that the rows do not have, set `chat_template_kwargs: {enable_thinking: false}` if it knows that, or write thoughts into the rows';
/** Some data leave the opening tag to the generation prompt. */
const THOUGHT_IN_CONTENT = /(<think>|^)[\s\S]*?<\/think>/g;

/** A text of a message that ought to be printed, and the message with another text in its place. */
interface Piece {
  readonly part: LeftOut['part'];
  readonly text: string;
  readonly replaced: (text: string) => Message;
}

/**
 * What a conversation holds and the template does not print: silence about it would let a model answer from what it never saw, or be
 * trained on half an answer. Looks for each part in the text; where it is not found as it is, it renders once more with marks in
 * the part, since templates may strip, escape or rewrite what they print.
 */
export class LeftOutFinder {
  readonly #renderer: ChatRenderer;
  readonly #conversation: Conversation;
  readonly #whole: RenderedMessages;
  /** What the template prints apart from the messages. */
  readonly #between: string;

  constructor(renderer: ChatRenderer, conversation: Conversation, whole: RenderedMessages) {
    this.#renderer = renderer;
    this.#conversation = conversation;
    this.#whole = whole;
    this.#between = textBetween(whole);
  }

  /** Parts of message `i`; `printed` is where it stands, if that is known. */
  ofMessage(i: number, printed: Span | null): LeftOut[] {
    const message = this.#conversation.messages[i] as Message;
    const pieces = piecesOf(message);
    const calls = message.tool_calls ?? [];
    const text = printed ? this.#whole.text.slice(printed.start, printed.end) : this.#between;
    const missing = (piece: Piece): boolean => {
      const wanted = pieces.reduce((sum, other) => sum + occurrences(other.text, piece.text), 0);
      return occurrences(text, piece.text) < wanted && !this.#printsMarks(i, piece);
    };
    const parts = new Set(pieces.filter(missing).map(({ part }) => part));
    if (calls.length > 0) {
      const lost = this.#lostOfCalls(i, calls, text);
      if (lost !== null) parts.add(lost);
    }
    return [...parts]
      .map((part) => ({
        part,
        message: i,
        detail: part === 'call' ? this.#whyNoCall(i, calls) : describe(part, i, message),
      }))
      .map((lost) =>
        this.#printsLast(lost, pieces) ? { ...lost, part: 'earlier thinking', detail: earlier(i) } : lost,
      );
  }

  /** The definitions of the conversation's tools: their names, what they do, and their parameters. */
  ofTools(): LeftOut[] {
    const { tools, messages } = this.#conversation;
    if (tools === null || tools.length === 0) return [];
    const texts = tools.flatMap(textsOfTool);
    const isPrinted = (text: string): boolean =>
      [text, JSON.stringify(text).slice(1, -1)].some((form) => this.#between.includes(form));
    if (texts.length > 0 && texts.every(isPrinted)) return [];
    const [name, description, parameter] = MARKS;
    const parameters = { type: 'object', properties: { [parameter]: { type: 'string' } } };
    const probe = [{ type: 'function', function: { name, description, parameters } }];
    const rendered = renderMessages(this.#renderer, { tools: probe }, messages);
    if (rendered instanceof TemplateError) return []; // it has looked at them
    const missing = Object.entries({ names: name, descriptions: description, parameters: parameter })
      .filter(([, mark]) => !rendered.text.includes(mark))
      .map(([what]) => what);
    if (missing.length === 0) return [];
    const what = missing.includes('names') ? 'definitions' : missing.join(' and ');
    return [{ part: 'tools', message: null, detail: `the template leaves out the ${what} of the tools` }];
  }

  #textWith(i: number, message: Message, messages = this.#conversation.messages): string | null {
    const changed = messages.map((other, k) => (k === i ? message : other));
    const rendered = renderMessages(this.#renderer, this.#conversation, changed);
    return rendered instanceof TemplateError ? null : rendered.text.toLowerCase();
  }

  /** A template that refuses the marks has looked at them. */
  #printsMarks(i: number, piece: Piece, messages = this.#conversation.messages): boolean {
    const text = this.#textWith(i, piece.replaced(marked(piece.text)), messages);
    return text === null || MARKS.every((mark) => text.includes(mark));
  }

  /** Templates such as Qwen3's print what was thought for the last answer and leave it out of earlier ones, on purpose. */
  #printsLast({ part, message: i }: LeftOut, pieces: readonly Piece[]): boolean {
    const { messages } = this.#conversation;
    if (i === null || i === messages.length - 1 || messages[i]?.role !== 'assistant') return false;
    const lost = pieces.filter((piece) => piece.part === part);
    return lost.length > 0 && lost.every((piece) => this.#printsMarks(i, piece, messages.slice(0, i + 1)));
  }

  #lostOfCalls(i: number, calls: readonly ToolCall[], text: string): LeftOut['part'] | null {
    const leaves = calls.flatMap(({ function: { name, arguments: given } }) => [name, ...leavesOf(given)]);
    const found = leaves.every((leaf) => text.includes(leaf) || text.includes(JSON.stringify(leaf).slice(1, -1)));
    if (found && leaves.some((leaf) => leaf.length > 2)) return null;
    const [name, key, value] = MARKS;
    const message = this.#conversation.messages[i] as Message;
    // One call at a time: some templates print the first alone.
    const isPrinted = (call: ToolCall, changed: Partial<ToolCall['function']>, mark: string): boolean => {
      const other = { ...call, function: { ...call.function, ...changed } };
      const printed = this.#textWith(i, { ...message, tool_calls: calls.map((one) => (one === call ? other : one)) });
      return printed === null || printed.includes(mark);
    };
    if (!calls.every((call) => isPrinted(call, { name }, name))) return 'call';
    const argued = calls.every((call) => {
      const isText = typeof call.function.arguments === 'string';
      return isPrinted(call, { arguments: isText ? JSON.stringify({ [key]: value }) : { [key]: value } }, value);
    });
    return argued ? null : 'arguments';
  }

  /** Why a call is not printed: some templates print one call alone, or either a call or a text. */
  #whyNoCall(i: number, calls: readonly ToolCall[]): string {
    const message = this.#conversation.messages[i] as Message;
    const [{ function: first, ...rest }] = calls as readonly [ToolCall];
    const one = [{ ...rest, function: { ...first, name: MARKS[0] } }];
    const printsOne = (changed: Partial<Message>): boolean =>
      this.#textWith(i, { ...message, ...changed, tool_calls: one })?.includes(MARKS[0]) ?? false;
    const number = i + 1;
    if (calls.length > 1 && printsOne({})) {
      return `message ${number} has ${calls.length} tool calls; this template prints only the first: set chat_template`;
    }
    if (message.content && (printsOne({ content: null }) || printsOne({ content: '' }))) {
      return `message ${number} is a tool call beside a text; this template prints only one of them: set chat_template`;
    }
    return `message ${number} is a tool call; this template cannot print one: set chat_template`;
  }
}

const PARTS: Readonly<Record<Exclude<LeftOut['part'], 'turns'>, string>> = {
  system: 'the system message',
  tools: 'definitions of tools, or parts of them,',
  text: 'what a message says',
  thinking: 'what was thought',
  'earlier thinking': 'what was thought before earlier answers',
  call: 'a tool call',
  arguments: 'the arguments of a tool call',
  prompt: 'what it puts before an answer in use',
};

/** What of `rows` rows is not printed, or printed as something else, in a sentence. */
export function describeLeftOut(part: LeftOut['part'], rows: number): string {
  if (part === 'turns')
    return `messages hold control tokens of the chat template in ${rows} ${rows === 1 ? 'row' : 'rows'}`;
  return `the chat template leaves out ${PARTS[part]} in ${rows} ${rows === 1 ? 'row' : 'rows'}`;
}

/** What a model that is asked this does not see, each with a sentence; none where the template refuses the messages. */
export function leftOutOfPrompt(
  renderer: ChatRenderer,
  asked: readonly Message[],
  tools: readonly unknown[] | null,
): { part: LeftOut['part']; why: string }[] {
  const chosen = rendererFor(renderer, tools);
  const messages = inCallForm(asked, chosen.callForm);
  const conversation: Conversation = { kind: 'chat', messages, train: messages.map(() => null), tools, isPrompt: true };
  const whole = renderMessages(chosen, conversation, messages, true);
  if (whole instanceof TemplateError) return [];
  const finder = new LeftOutFinder(chosen, conversation, whole);
  return messages
    .flatMap((_, i) => finder.ofMessage(i, whole.messages[i] ?? null))
    .filter(({ part }) => part !== 'earlier thinking')
    .flatMap(({ part, message }) => {
      if (part === 'turns') return [];
      const where = `message ${Number(message) + 1}`;
      return [{ part, why: `the chat template leaves out ${PARTS[part]} (${where}): the model never sees it` }];
    });
}

/** Name, description and names of parameters. */
function textsOfTool(tool: unknown): string[] {
  const { name, description, parameters } = (tool as { function?: Readonly<Record<string, unknown>> }).function ?? {};
  const { properties } = (parameters ?? {}) as { properties?: object };
  return [name, description, ...Object.keys(properties ?? {})].filter((text) => typeof text === 'string');
}

/** A message that was rendered before, with tokens that begin and end turns within its turn; null for any other. */
export function turnsWithin({ turnTokens }: ChatRenderer, { role, content }: Message, i: number): LeftOut | null {
  const token = typeof content === 'string' ? turnTokens.find((each) => content.includes(each)) : undefined;
  if (token === undefined) return null;
  const detail = `message ${i + 1} (${role}) holds ${token}, which this chat template prints around messages: a model sees turns within the turn`;
  return { part: 'turns', message: i, detail };
}

const earlier = (i: number): string =>
  `this template prints what was thought before an answer for the last one only, not for message ${i + 1}`;

function describe(part: LeftOut['part'], i: number, { role, tool_calls: calls = [] }: Message): string {
  const number = i + 1;
  if (part === 'arguments') {
    return `message ${number} is a tool call; this template leaves out its arguments: set chat_template`;
  }
  if (part === 'thinking') {
    return `message ${number} (${role}) holds what was thought; this template cannot print that: set chat_template`;
  }
  if (calls.length > 0) {
    return `message ${number} (${role}) says something beside its tool call; this template leaves that out: set chat_template`;
  }
  return `this template leaves out what message ${number} (${role}) says: set chat_template`;
}

/** The texts of a message, what was thought apart from what was said. */
function piecesOf(message: Message): Piece[] {
  const pieces: Piece[] = [];
  const add = (part: Piece['part'], whole: string, start: number, end: number, replace: Replace): void => {
    const text = whole.slice(start, end).trim();
    if (text === '') return;
    const from = whole.indexOf(text, start);
    const replaced = (other: string) => replace(whole.slice(0, from) + other + whole.slice(from + text.length));
    pieces.push({ part, text, replaced });
  };
  const field = THOUGHTS.find((name) => typeof message[name] === 'string');
  if (field !== undefined) {
    const thought = message[field] as string;
    add('thinking', thought, 0, thought.length, (text) => ({ ...message, [field]: text }));
  }
  const { content } = message;
  if (typeof content !== 'string') return pieces;
  const replace: Replace = (text) => ({ ...message, content: text });
  const said: LeftOut['part'] = message.role === 'system' ? 'system' : 'text';
  let from = 0;
  // Only a model's own words are parted: a user may well speak of <think>.
  for (const match of message.role === 'assistant' ? content.matchAll(THOUGHT_IN_CONTENT) : []) {
    add(said, content, from, match.index, replace);
    add(
      'thinking',
      content,
      match.index + (match[1] ?? '').length,
      match.index + match[0].length - '</think>'.length,
      replace,
    );
    from = match.index + match[0].length;
  }
  add(said, content, from, content.length, replace);
  return pieces;
}

type Replace = (text: string) => Message;

function marked(text: string): string {
  const middle = Math.floor(text.length / 2);
  return `${MARKS[0]} ${text.slice(0, middle)}${MARKS[1]}${text.slice(middle)} ${MARKS[2]}`;
}

function leavesOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(leavesOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [key, ...leavesOf(item)]);
}

function textBetween({ text, messages }: RenderedMessages): string {
  const ranges = messages.filter((range) => range !== null).toSorted((a, b) => a.start - b.start);
  let between = '';
  let at = 0;
  for (const { start, end } of ranges) {
    between += text.slice(at, start);
    at = end;
  }
  return between + text.slice(at);
}
