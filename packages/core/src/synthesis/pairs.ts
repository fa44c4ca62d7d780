/** Reading what a model wrote as pairs of question and answer. */
import { isObject } from '../datasets/formats/format.ts';
import type { Answer } from './journal.ts';

export interface Pair {
  readonly question: string;
  readonly answer: string;
}

/** Why an answer, or a pair of it, is left out. */
export interface Flaw {
  readonly reason: 'cut_off' | 'empty' | 'not_json' | 'wrong_form' | 'no_thoughts';
  readonly detail: string;
}

/** The pairs of an answer, each with what is wrong with it where that is so; one flaw where there is none to be read. */
export function pairsIn(answer: Answer): (Pair | Flaw)[] {
  const text = readText(answer);
  if (typeof text !== 'string') return [text];
  const value = jsonIn(text);
  if (value === undefined) return [{ reason: 'not_json', detail: 'the answer is no JSON' }];
  const list = listIn(value);
  if (list === null) return [{ reason: 'wrong_form', detail: 'the answer is no list of pairs' }];
  if (list.length === 0) return [{ reason: 'empty', detail: 'the answer is an empty list' }];
  return list.map(pairOf);
}

const THINK_END = '</think>';

/** The text of an answer, without what was thought before it. */
export function readText({ content, finishReason }: Answer): string | Flaw {
  if (finishReason === 'length') return { reason: 'cut_off', detail: 'the answer was cut at max_tokens' };
  const end = content.lastIndexOf(THINK_END);
  const text = (end < 0 ? content : content.slice(end + THINK_END.length)).trim();
  if (text === '') return { reason: 'empty', detail: 'the answer is empty' };
  return text.isWellFormed() ? text : wrong('it holds half a character');
}

/** What was thought: apart, or in the answer itself, where some templates have opened the tag already. Empty for nothing. */
export function thoughtsIn({ content, reasoning }: Answer): string {
  const end = content.lastIndexOf(THINK_END);
  const within = end < 0 ? '' : content.slice(0, end).replace(/^\s*<think>/, '');
  const thoughts = (reasoning ?? within).trim();
  return thoughts.isWellFormed() ? thoughts : '';
}

/** JSON that is the text, stands in a fence, or between other words. */
export function jsonIn(text: string): unknown {
  const fenced = /```(?:json)?\s*\n([\s\S]*?)\n\s*```/i.exec(text)?.[1];
  const between = (open: string, close: string): string => text.slice(text.indexOf(open), text.lastIndexOf(close) + 1);
  const brackets = text.indexOf('[') >= 0 && text.indexOf('[') < (text.indexOf('{') + 1 || Infinity);
  const inner = brackets ? between('[', ']') : between('{', '}');
  for (const candidate of [text, fenced, inner]) {
    if (candidate === undefined || candidate === '') continue;
    try {
      return JSON.parse(candidate) as unknown;
    } catch {
      // The next may be.
    }
  }
  return undefined;
}

/** A list, the only list in a mapping (`{"pairs": […]}`), or a single pair. */
function listIn(value: unknown): readonly unknown[] | null {
  if (Array.isArray(value)) return value;
  if (!isObject(value)) return null;
  if ('question' in value && 'answer' in value) return [value];
  const lists = Object.values(value).filter((part) => Array.isArray(part));
  return lists.length === 1 ? (lists[0] as unknown[]) : null;
}

const wrong = (detail: string): Flaw => ({ reason: 'wrong_form', detail });

function pairOf(item: unknown): Pair | Flaw {
  if (!isObject(item)) return wrong('it is no object with question and answer');
  const { question, answer } = item;
  if (typeof question !== 'string') return wrong('its question is no text');
  // Where JSON was asked for as an answer, some models write it as it is.
  const text = typeof answer === 'object' && answer !== null ? JSON.stringify(answer) : answer;
  if (typeof text !== 'string') return wrong('its answer is no text');
  if (!question.isWellFormed() || !text.isWellFormed()) return wrong('it holds half a character');
  return { question: question.trim(), answer: text.trim() };
}
