import { type RenderedMessages, TemplateError } from '../templates/template.ts';
import { type ChatRenderer, renderMessages } from './chatRenderer.ts';
import type { Conversation, Message, Span } from './types.ts';

/** Texts that no header begins or ends with, and that share neither their first nor their last letter. */
const PROBES = ['Alpha', 'Ωmicron'] as const;

/** Finds where a message stands in the rendered conversation, and where its header ends. */
export class TurnFinder {
  readonly #renderer: ChatRenderer;
  readonly #conversation: Conversation;
  readonly #whole: RenderedMessages;
  /** Generation prompts by the role of the message before: the same for all turns of one conversation. */
  readonly #prompts = new Map<string, readonly string[]>();

  constructor(renderer: ChatRenderer, conversation: Conversation, whole: RenderedMessages) {
    this.#renderer = renderer;
    this.#conversation = conversation;
    this.#whole = whole;
  }

  /**
   * Where message `i` is printed: as the evaluator saw it, or, where the template prints it outside its loop over the messages, by what
   * changes when the message becomes another. Null when it cannot be told.
   */
  rangeOf(i: number): Span | null {
    return this.#whole.messages[i] ?? this.#difference(i);
  }

  /** Position in the text after the header of message `i`, which lies at `range`; null when it cannot be told. */
  headerEnd(i: number, range: Span): number | null {
    const turn = this.#whole.text.slice(range.start, range.end);
    if (this.#conversation.messages[i]?.role === 'assistant') {
      const prompt = this.#promptsBefore(i).find((candidate) => turn.startsWith(candidate));
      if (prompt !== undefined) return range.start + prompt.length;
    }
    if (!this.#whole.messages[i]) return range.start;
    const header = this.#commonHeader(i, turn);
    return header === null ? null : range.start + header;
  }

  /** What the model is given when it answers, where that does not stand before answer `i`, which lies at `range`; else null. */
  promptMissed(i: number, range: Span): string | null {
    const { messages } = this.#conversation;
    // An answer right behind another may go on in its turn.
    if (messages[i]?.role !== 'assistant' || messages[i - 1]?.role === 'assistant') return null;
    const prompts = this.#promptsBefore(i);
    const before = this.#whole.text.slice(0, this.headerEnd(i, range) ?? range.start);
    return prompts.some((prompt) => before.endsWith(prompt)) ? null : (prompts[0] ?? null);
  }

  /**
   * Message `i` at `range` without what the template prints of later messages within it, as Gemma 4's does with the results of
   * calls. Null when it cannot be told.
   */
  partsOf(i: number, range: Span): readonly Span[] | null {
    if (!this.#holdsLater(i, range)) return [range];
    const { messages } = this.#conversation;
    const turn = this.#whole.text.slice(range.start, range.end);
    const said = this.#turnIn(messages.slice(0, i + 1), i);
    if (said === null) return null;
    let before = this.#whereParted(turn, said);
    let after = turn.length - (said.length - (before ?? 0));
    if (before === null) {
      // A text beside the call stands behind the results: what comes without it is the call, and then the results.
      const wordless = messages.map((message, k) => (k === i ? { ...message, content: '' } : message));
      const call = this.#turnIn(wordless.slice(0, i + 1), i);
      const results = this.#turnIn(wordless, i);
      if (call === null || results === null || !turn.startsWith(call)) return null;
      before = call.length;
      after = this.#betweenTokens(results, commonPrefix(turn, results).length, before) ?? -1;
      if (after < 0 || !turn.slice(after).includes(String(messages[i]?.content).trim())) return null;
    }
    const parts = [
      { start: range.start, end: range.start + before },
      { start: range.start + after, end: range.end },
    ];
    return parts.filter(({ start, end }) => start < end);
  }

  /** Where `said` is parted in `turn` by what stands between; null where it is not. */
  #whereParted(turn: string, said: string): number | null {
    if (turn.length < said.length) return null;
    return this.#betweenTokens(said, commonPrefix(turn, said).length, said.length - commonSuffix(turn, said));
  }

  /** The latest of these places that is within no token: what comes in between may begin as what follows does (`<`). */
  #betweenTokens(said: string, latest: number, earliest: number): number | null {
    const { endTokens, closingTokens } = this.#renderer;
    const tokens = new Set([...endTokens, ...closingTokens, ...(said.match(/<[^<>\s]+>/g) ?? [])]);
    for (let at = latest; at >= earliest; at--) {
      if (![...tokens].some((token) => isWithin(said, token, at))) return at;
    }
    return null;
  }

  /** Whether a message right behind `i` has no place of its own, or one within `range`. */
  #holdsLater(i: number, range: Span): boolean {
    if (!this.#whole.messages[i] || this.#conversation.messages[i + 1]?.role !== 'tool') return false;
    const place = this.#whole.messages[i + 1];
    return !place || (place.start < range.end && place.end > range.start);
  }

  /**
   * What the template prints for the model to go on after the messages before `i`: what it prints more when it is asked to, or
   * else (some print an end of text otherwise) what follows the last message.
   */
  #promptsBefore(i: number): readonly string[] {
    const messages = this.#conversation.messages.slice(0, i);
    const role = messages.at(-1)?.role ?? '';
    const known = this.#prompts.get(role);
    if (known) return known;
    const [closed, open] = [this.#render(messages), this.#render(messages, true)];
    const prompts: string[] = [];
    if (!(open instanceof TemplateError)) {
      if (!(closed instanceof TemplateError) && open.text.startsWith(closed.text)) {
        prompts.push(open.text.slice(closed.text.length));
      }
      prompts.push(open.text.slice(open.end));
    }
    const found = prompts.filter((prompt) => prompt !== '');
    this.#prompts.set(role, found);
    return found;
  }

  /** The length of what stays the same when the message says something else. A blank before a word belongs to the word. */
  #commonHeader(i: number, turn: string): number | null {
    let header = turn;
    for (const probe of PROBES) {
      const other = this.#turnSaying(i, probe);
      if (other === null) return null;
      header = commonPrefix(header, other);
    }
    return header.replace(/ +$/, '').length;
  }

  /** Message `i` as it would be printed if it said just `content`. */
  #turnSaying(i: number, content: string): string | null {
    const { messages } = this.#conversation;
    const changed = messages.map((message, k) => (k === i ? saying(message, content) : message));
    // What follows may not go with another message, such as results with no call before them.
    return this.#turnIn(changed, i) ?? this.#turnIn(changed.slice(0, i + 1), i);
  }

  /** What message `i` of these prints; null where that cannot be told. */
  #turnIn(messages: readonly Message[], i: number): string | null {
    const rendered = this.#render(messages);
    const range = rendered instanceof TemplateError ? null : rendered.messages[i];
    return range && !(rendered instanceof TemplateError) ? rendered.text.slice(range.start, range.end) : null;
  }

  /** What of the text becomes another when message `i` does, with the end token behind it. */
  #difference(i: number): Span | null {
    const { messages } = this.#conversation;
    const { text } = this.#whole;
    const others: string[] = [];
    for (const probe of PROBES) {
      const changed = messages.map((message, k) => (k === i ? saying(message, probe) : message));
      const rendered = this.#render(changed);
      if (rendered instanceof TemplateError) return null;
      others.push(rendered.text);
    }
    const [first, second] = others as [string, string];
    // A message that is printed twice, or not at all, has no place of its own.
    if (occurrences(first, PROBES[0]) - occurrences(second, PROBES[0]) !== 1) return null;
    if (occurrences(second, PROBES[1]) - occurrences(first, PROBES[1]) !== 1) return null;
    let start = Math.min(...others.map((other) => commonPrefix(text, other).length));
    const same = Math.min(...others.map((other) => commonSuffix(text.slice(start), other)));
    const contentEnd = text.length - same;
    if (contentEnd <= start) return null;
    const before = this.#render(messages.slice(0, i), true);
    if (!(before instanceof TemplateError) && before.text.length <= start && text.startsWith(before.text)) {
      if (this.#promptsBefore(i).length > 0) start = before.text.length;
    }
    start = text.slice(0, start).replace(/ +$/, '').length;
    const after = text.slice(contentEnd).trimStart();
    const token = this.#renderer.endTokens.find((candidate) => after.startsWith(candidate));
    const end = token === undefined ? contentEnd : text.length - after.length + token.length;
    const overlaps = this.#whole.messages.some((range) => range && range.start < end && range.end > start);
    return overlaps ? null : { start, end };
  }

  #render(messages: readonly Message[], addGenerationPrompt = false): RenderedMessages | TemplateError {
    return renderMessages(this.#renderer, this.#conversation, messages, addGenerationPrompt);
  }
}

/** The message with these words and nothing else to say: without calls and thoughts. */
function saying(message: Message, content: string): Message {
  const { tool_calls: _, reasoning_content: __, reasoning: ___, thinking: ____, ...rest } = message;
  return { ...rest, content };
}

export function occurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count++;
  return count;
}

/** Whether `part` stands in the text across the position `at`. */
function isWithin(text: string, part: string, at: number): boolean {
  const start = text.indexOf(part, Math.max(0, at - part.length + 1));
  return start >= 0 && start < at;
}

function commonPrefix(a: string, b: string): string {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return a.slice(0, length);
}

function commonSuffix(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a.at(-1 - length) === b.at(-1 - length)) length++;
  return length;
}
