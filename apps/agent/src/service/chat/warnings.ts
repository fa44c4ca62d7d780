import { leftOutOfPrompt } from '@anneal/core/datasets/leftOut';
import type { Message } from '@anneal/core/datasets/types';
import type { Answerer } from '@anneal/core/generate/answerer';
import type { ModelText } from '@anneal/core/generate/modelText';
import { recommendedSampling } from '@anneal/core/generate/presets';
import type { AnswerOptions } from '@anneal/core/protocol/chat';
import { describeWithoutRow } from '@anneal/core/tokenizers/tokensWithoutRow';
import { isTold } from './tools.ts';

/** Something asked for that does not do what it seems to. */
export interface ChatWarning {
  /** The options it is about, in words as `no-thinking`. */
  readonly options: readonly string[];
  readonly why: string;
}

export interface Asked extends Pick<AnswerOptions, 'plain' | 'tools' | 'temperature'> {
  /** A system message was given. */
  readonly system?: boolean;
  /** What is to be answered, as far as it is known. */
  readonly messages?: readonly Message[];
}

/**
 * @param asked whether thinking was asked for or forbidden
 * @param thinking whether the model is told to think
 */
export function warningsOf(
  { text, model }: Pick<Answerer, 'text' | 'model'>,
  options: Asked,
  { asked, thinking }: { asked: boolean | undefined; thinking: boolean | undefined },
): ChatWarning[] {
  const temperature = options.temperature ?? recommendedSampling(model, thinking ?? true).temperature;
  const why = 'thinking without randomness often repeats itself; try --temperature 0.6';
  const withoutRow = describeWithoutRow(text.tokenizer.withoutRow.map((token) => token.text));
  return [
    ...(withoutRow === null ? [] : [{ options: [], why: withoutRow }]),
    ...unreadOptions(text, { ...options, thinking: asked }),
    ...notPrinted(text, options).map(({ why: lost }) => ({ options: [], why: lost })),
    ...(thinking && temperature === 0 ? [{ options: [], why }] : []),
  ];
}

/** What of a request the chat template does not read, and that therefore changes nothing: options, and what the model is told to be. */
export function unreadParts(text: ModelText, asked: Parameters<typeof unreadOptions>[1]): ChatWarning[] {
  const system = notPrinted(text, asked).filter(({ part }) => part === 'system');
  return [...unreadOptions(text, asked), ...system.map(({ why }) => ({ options: ['messages'], why }))];
}

function notPrinted({ renderer }: ModelText, { plain, tools, messages }: Asked): ReturnType<typeof leftOutOfPrompt> {
  return renderer && messages && !plain ? leftOutOfPrompt(renderer, messages, tools ?? null) : [];
}

/** The options that the chat template does not read, and that therefore change nothing. */
export function unreadOptions(
  text: ModelText,
  { plain, tools, system, thinking }: Asked & { readonly thinking?: boolean | undefined },
): ChatWarning[] {
  const { renderer } = text;
  const found: ChatWarning[] = [];
  if (tools && plain) found.push({ options: ['tools', 'plain'], why: 'plain text is continued without them' });
  else if (tools && !isTold(text, tools)) {
    const why = 'the chat template does not print the definitions of tools, so the model knows of none';
    found.push({ options: ['tools'], why });
  }
  if (thinking !== undefined && !(renderer && /\benable_thinking\b/.test(renderer.template.source))) {
    found.push({ options: [thinking ? 'thinking' : 'no-thinking'], why: 'the chat template has no such switch' });
  }
  if (plain && system) {
    found.push({ options: ['system', 'plain'], why: 'the text is only put before the prompt, as plain text' });
  }
  return found;
}
