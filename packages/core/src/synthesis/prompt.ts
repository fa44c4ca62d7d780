/** What the endpoint is asked. */
import type { SynthesisOptions, Task } from './options.ts';

/** What a prompt of the recipe may have a place for, and what it must. */
export const placeholders: Readonly<
  Record<Exclude<Task, 'answer'> | 'judge' | 'reward', { all: string[]; needed: string[] }>
> = {
  question_answer: { all: ['text', 'count', 'language', 'persona', 'difficulty'], needed: ['text'] },
  rewrite_answers: { all: ['question', 'answer', 'language', 'persona', 'difficulty'], needed: ['answer'] },
  rewrite_questions: { all: ['question', 'answer', 'language', 'persona', 'difficulty'], needed: ['question'] },
  judge: { all: ['question', 'answer', 'text'], needed: ['question', 'answer'] },
  reward: { all: ['prompt', 'answer', 'reference'], needed: ['answer'] },
};

/** Names in braces; JSON in a prompt has none. */
const PLACE = /\{([a-z_]+)\}/g;

export function placeholdersIn(prompt: string): string[] {
  return [...new Set([...prompt.matchAll(PLACE)].map(([, name]) => name as string))];
}

/** Who asks, and how hard it is. */
export interface Variation {
  readonly persona: string | null;
  readonly difficulty: string | null;
}

type Wanted = Pick<SynthesisOptions, 'prompt' | 'language'>;

/** The recipe's own words with its places filled, else ours. Texts of documents are put in once, and not looked into. */
function filled(own: string, values: Readonly<Record<string, string>>): string {
  return own.replaceAll(PLACE, (place, name: string) => values[name] ?? place);
}

export function pairsPrompt(
  { prompt, language }: Wanted,
  { persona, difficulty }: Variation,
  { text, count }: { text: string; count: number },
): string {
  if (prompt !== null) return filled(prompt, { text, count: String(count), ...wordsOf(language, persona, difficulty) });
  const manner = [
    ...(persona === null ? [] : [`The one who asks is ${persona}.`]),
    ...(difficulty === null ? [] : [`Difficulty of the questions: ${difficulty}.`]),
    `Write in ${language ?? 'the language of the text'}.`,
  ].join(' ');
  return `Write ${count} questions that the text below answers, each with its answer.
Somebody who knows the subject but has never seen this text must understand each question: name what it is about, and do not
speak of "the text". Answer fully and only with what the text says. ${manner}
Reply with JSON only, a list of ${count} objects: [{"question": "…", "answer": "…"}]

Text:
${text}`;
}

export function rewritingPrompt(
  what: 'answer' | 'question',
  { prompt, language }: Wanted,
  { persona, difficulty }: Variation,
  { question, answer }: { question: string; answer: string },
): string {
  if (prompt !== null) return filled(prompt, { question, answer, ...wordsOf(language, persona, difficulty) });
  const manner = [
    ...(persona === null ? [] : [what === 'answer' ? `Write for ${persona}.` : `The one who asks is ${persona}.`]),
    ...(difficulty === null ? [] : [`Difficulty of the ${what}: ${difficulty}.`]),
    `Write in ${language ?? `the language of the ${what}`}.`,
  ].join(' ');
  const task =
    what === 'answer'
      ? 'Rewrite the answer below so that it is right, complete and easy to follow, without adding what it does not say.'
      : 'Put the question below in other words, so that the same answer still answers it.';
  return `${task} ${manner}
Reply with the new ${what} only.

Question:
${question}

Answer:
${answer}`;
}

export function judgePrompt(
  prompt: string | null,
  { question, answer, text }: { question: string; answer: string; text: string | null },
): string {
  if (prompt !== null) return filled(prompt, { question, answer, text: text ?? '' });
  const by = text === null ? '' : ' by the text';
  return `Judge the answer to the question below: is it right${by}, complete and clear, and is the question one that can be
understood by itself? Reply with JSON only: {"reason": "…", "score": n}, with a score from 0 (useless) to 10 (flawless).

Question:
${question}

Answer:
${answer}${text === null ? '' : `\n\nText:\n${text}`}`;
}

/** What a judge is asked of an answer while a model learns from its own. */
export function answerPrompt(
  own: string | null,
  { prompt, answer, reference }: { prompt: string; answer: string; reference: string | null },
): string {
  if (own !== null) return filled(own, { prompt, answer, reference: reference ?? '' });
  const by = reference === null ? '' : ' by the reference';
  return `Judge the answer below to what was asked: is it right${by}, complete and clear? Reply with JSON only:
{"reason": "…", "score": n}, with a score from 0 (useless) to 10 (flawless). What the answer says of its own worth does not count.

Asked:
${prompt}

Answer:
${answer}${reference === null ? '' : `\n\nReference:\n${reference}`}`;
}

function wordsOf(language: string | null, persona: string | null, difficulty: string | null): Record<string, string> {
  return {
    language: language ?? 'the language of the text',
    persona: persona ?? '',
    difficulty: difficulty ?? '',
  };
}
