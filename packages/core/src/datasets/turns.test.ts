/** Which characters are trained of calls, results and thoughts, in templates as models have them, against the marks of TRL's variants. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { byteLevelJson } from '../tokenizers/byteLevel/byteLevelJson.ts';
import { openTokenizer } from '../tokenizers/tokenizer.ts';
import { type ChatRenderer, openChatRenderer } from './chatRenderer.ts';
import { render } from './render.ts';
import type { Message, Span } from './types.ts';

interface Golden {
  readonly bos?: string;
  readonly eos: string;
  readonly stops?: readonly string[];
  readonly tokens: readonly string[];
  readonly template: string;
  /** `pieces` are trained and not trained in turn; `text` has no labels. */
  readonly cases: readonly { case: string; text?: string; pieces?: readonly string[]; error?: string }[];
}

const FOLDER = new URL('../../test/golden/turns/', import.meta.url);
const read = <T>(name: string): T => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as T;
const { now, tools, conversations } = read<{
  now: string;
  tools: unknown[];
  conversations: Record<string, Message[]>;
}>('conversations.json');

const THOUGHTS = { thinking_and_call: 'content_lost', thinking: 'content_lost' };
const ONE_CALL = { text_and_call: 'content_lost', two_calls: 'template_refused', ...THOUGHTS };
/** Rows that these templates cannot print, or not so that an answer ends. */
const DROPPED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  deepseekv3_training: THOUGHTS,
  diffusion_gemma: { text_and_call: 'missing_end_token' },
  gemma3: { call_at_the_end: 'content_lost', thinking: 'content_lost' },
  gemma4_v5: { text_and_call: 'missing_end_token' },
  gptoss: { two_calls: 'content_lost' },
  lfm2_v2: THOUGHTS,
  llama3_1: ONE_CALL,
  llama3_2: ONE_CALL,
  qwen2_5: THOUGHTS,
};

function rendererOf({ bos, eos, stops = [], tokens, template }: Golden): ChatRenderer {
  const control = [...new Set([...(bos === undefined ? [] : [bos]), eos, ...tokens])];
  const tokenizer = openTokenizer({
    tokenizerJson: byteLevelJson(control, []),
    tokenizerConfig: { eos_token: eos, ...(bos === undefined ? {} : { bos_token: bos }), chat_template: template },
  });
  return openChatRenderer(tokenizer, { endTokens: stops, now: new Date(now) });
}

/**
 * What differs from the marks on purpose: a token at which no model stops is not learned as the end of a turn, and one at which it
 * does belongs to the turn before it, also where the template prints it with what follows.
 */
function spansOf(pieces: readonly string[], { endTokens, closingTokens }: ChatRenderer): Span[] {
  const spans: Span[] = [];
  let start = 0;
  for (const [i, piece] of pieces.entries()) {
    if (i % 2 === 1) {
      const closing = closingTokens.find((token) => piece.endsWith(token))?.length ?? 0;
      const hasEnd = closing > 0 || endTokens.some((token) => piece.endsWith(token));
      const stop = hasEnd ? undefined : endTokens.find((token) => pieces[i + 1]?.startsWith(token));
      spans.push({ start, end: start + piece.length - closing + (stop?.length ?? 0) });
    }
    start += piece.length;
  }
  return spans;
}

/** Calls with their arguments as OpenAI's API writes them. */
const inText = (messages: readonly Message[]): Message[] =>
  messages.map((message) => ({
    ...message,
    ...(message.tool_calls && {
      tool_calls: message.tool_calls.map((call) => ({
        ...call,
        function: { ...call.function, arguments: JSON.stringify(call.function.arguments) },
      })),
    }),
  }));

const shown = (text: string, spans: readonly Span[]): string[] =>
  spans.map(({ start, end }) => `${start}: ${text.slice(start, end)}`);

const names = readdirSync(FOLDER).filter((name) => name !== 'conversations.json');
describe.each(names)('%s', (file) => {
  const golden = read<Golden>(file);
  const renderer = rendererOf(golden);

  it.each(golden.cases)('$case', ({ case: name, text, pieces, error }) => {
    const given = conversations[name] as Message[];
    for (const messages of [given, inText(given)]) {
      const conversation = {
        kind: 'chat' as const,
        messages,
        train: messages.map(() => null),
        tools: messages.some((message) => message.tool_calls) ? tools : null,
      };
      const rendered = render(renderer, conversation, { rolesToTrain: ['assistant'], trainOnEos: 'turn' });
      const reason = error === undefined ? DROPPED[file.replace('.json', '')]?.[name] : 'template_refused';
      if (rendered.kind === 'dropped' || reason !== undefined) {
        expect(rendered).toMatchObject({ kind: 'dropped', reason });
        if (error !== undefined) expect(rendered).toMatchObject({ detail: error });
        continue;
      }
      const whole = pieces?.join('') ?? text;
      expect(rendered.text).toBe(whole);
      if (pieces === undefined) continue;
      expect(shown(rendered.text, rendered.supervised)).toEqual(shown(rendered.text, spansOf(pieces, renderer)));
    }
  });
});
