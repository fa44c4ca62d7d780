import { TemplateError } from '../templates/template.ts';
import { inCallForm } from './callForm.ts';
import { type ChatRenderer, rendererFor, renderMessages, templateMissing } from './chatRenderer.ts';
import { LeftOutFinder, turnsWithin } from './leftOut.ts';
import { endOf, ownEnd } from './turnEnd.ts';
import { TurnFinder } from './turnFinder.ts';
import {
  type Content,
  type Conversation,
  type Dropped,
  dropped,
  type LeftOut,
  type Message,
  type Rendered,
  type Span,
  THOUGHTS,
  type Turn,
} from './types.ts';

/** Which tokens the loss counts. */
export interface MaskOptions {
  readonly rolesToTrain: readonly string[];
  /** End tokens counted: of trained turns, of all turns, of the last turn, of none. */
  readonly trainOnEos: 'turn' | 'all' | 'last' | 'none';
  /** Everything is counted, whatever the roles. */
  readonly trainOnInputs?: boolean;
}

/** Plain text is trained as it is; conversations are rendered by the template, every turn found in the result. */
export function render(renderer: ChatRenderer | null, content: Content, mask: MaskOptions): Rendered | Dropped {
  if (content.kind === 'chat') {
    if (renderer === null) throw templateMissing();
    return renderChat(rendererFor(renderer, content.tools), content, mask);
  }
  if (content.text === '') return dropped('empty', 'the text is empty');
  return {
    kind: 'text',
    text: content.text,
    turns: [],
    supervised: [{ start: 0, end: content.text.length }],
    leftOut: [],
  };
}

/**
 * A turn's supervised part begins where the generation prompt ends, since that is what the model is given when it answers, and ends with its end
 * token. Everything is read off the conversation as finally rendered, so that a template which rewrites earlier turns is trained as it will be used.
 */
function renderChat(renderer: ChatRenderer, read: Conversation, mask: MaskOptions): Rendered | Dropped {
  const { train } = read;
  const messages = inCallForm(read.messages, renderer.callForm);
  const conversation = { ...read, messages };
  if (messages.length === 0) return dropped('empty', 'the conversation has no messages');
  const whole = renderMessages(renderer, conversation, messages, read.isPrompt);
  if (whole instanceof TemplateError) return dropped('template_refused', whole.message);
  let { text } = whole;
  const finder = new TurnFinder(renderer, conversation, whole);
  const leftOutFinder = new LeftOutFinder(renderer, conversation, whole);
  const leftOut: LeftOut[] = leftOutFinder.ofTools();
  const turns: Turn[] = [];
  for (const [i, message] of messages.entries()) {
    const wanted = train[i] ?? mask.rolesToTrain.includes(message.role);
    if (wanted && isEmptyAnswer(message)) return dropped('empty', `message ${i + 1} (${message.role}) says nothing`);
    const isLast = i === messages.length - 1;
    const wantsEnd =
      !read.isPrompt &&
      (mask.trainOnEos === 'all' || (mask.trainOnEos === 'turn' && wanted) || (mask.trainOnEos === 'last' && isLast));
    const isSupervised = wanted && !mask.trainOnInputs;
    const range = wanted ? finder.rangeOf(i) : (whole.messages[i] ?? null);
    const lost = leftOutFinder.ofMessage(i, range);
    leftOut.push(...lost);
    const within = turnsWithin(renderer, message, i);
    if (within !== null) leftOut.push(within);
    const fatal = wanted ? lost.find(({ part }) => part !== 'earlier thinking') : undefined;
    if (fatal) return dropped('content_lost', fatal.detail);
    const missed = wanted && isLast && range ? finder.promptMissed(i, range) : null;
    if (missed !== null) leftOut.push({ part: 'prompt', message: i, detail: withoutPrompt(i, missed) });
    if (!range) {
      if (isSupervised)
        return dropped('turn_not_found', `the template does not print message ${i + 1} (${message.role}) on its own`);
      continue;
    }
    const parts = isSupervised ? finder.partsOf(i, range) : [range];
    if (parts === null)
      return dropped(
        'turn_not_found',
        `the template prints what follows message ${i + 1} (${message.role}) within it, and where cannot be told`,
      );
    for (const [k, part] of parts.entries()) {
      if (wanted && wantsEnd && part.end === text.length && endOf(text, part, renderer).token === null) {
        // The next turn would open with it, but there is none.
        text += (message.tool_calls ? renderer.stopBehind.call : renderer.stopBehind.answer) ?? '';
      }
      const end = endOf(text, part, renderer);
      if (wanted && wantsEnd && end.token === null)
        return dropped('missing_end_token', `the template puts no end token after message ${i + 1} (${message.role})`);
      let supervised: Span | null = null;
      if (isSupervised) {
        const start = k === 0 ? finder.headerEnd(i, range) : part.start;
        if (start === null || start > end.content)
          return dropped(
            'turn_not_found',
            `cannot tell where message ${i + 1} (${message.role}) begins in the rendered text`,
          );
        // Where no model stops, ending there is nothing to learn: in use, the answer ended with another token.
        const learnsEnd = wantsEnd && (end.stops || mask.trainOnEos === 'all');
        supervised = { start, end: learnsEnd ? (end.token as number) : end.content };
      } else if (wantsEnd && !mask.trainOnInputs) {
        const own = ownEnd(text, part, renderer);
        if (own.token !== null) supervised = { start: own.content, end: own.token };
      }
      if (supervised?.start === supervised?.end) supervised = null;
      turns.push({ role: message.role, message: i, ...part, supervised });
    }
  }
  turns.sort((a, b) => a.start - b.start);
  const supervised = mask.trainOnInputs
    ? [{ start: 0, end: text.length }]
    : turns.flatMap((turn) => turn.supervised ?? []);
  return { kind: 'chat', text, turns, supervised, leftOut };
}

const withoutPrompt = (i: number, prompt: string): string =>
  `in use the model answers after ${JSON.stringify(prompt)}, which this template does not print before message ${i + 1}`;

/** Of an empty answer only the end token would be learned: to say nothing. A call of a tool is an answer. */
function isEmptyAnswer(message: Message): boolean {
  const { role, tool_calls: calls = [] } = message;
  return role === 'assistant' && calls.length === 0 && !saysSomething(message);
}

/** Where an answer stands, and where templates look for what was thought before it. */
const WORDS = ['content', ...THOUGHTS];

const saysSomething = (message: Message): boolean =>
  WORDS.some((field) => {
    const words = message[field];
    return typeof words === 'string' && words.trim() !== '';
  });
