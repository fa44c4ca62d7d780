/** What is left to be asked, and what that takes. */
import type { SynthesisEstimate } from '../protocol/synthesis.ts';
import type { Answer } from './journal.ts';
import type { EndpointOptions } from './options.ts';
import type { PlannedQuestion } from './plan.ts';

/** By the answers that are there; without any by characters, with answers as long as they may be. */
export function estimateOf(
  requests: readonly PlannedQuestion[],
  answerTo: (key: string) => Answer | undefined,
  endpoint: EndpointOptions,
): SynthesisEstimate {
  const answers = requests.map(({ key }) => answerTo(key));
  const open = requests.filter((_, i) => answers[i] === undefined);
  const measured = requests.flatMap((request, i) => {
    const answer = answers[i];
    return answer === undefined ? [] : [{ guess: guessedTokens(request), answer }];
  });
  const guess = sum(open.map(guessedTokens));
  const told = measured.filter(({ answer }) => answer.promptTokens !== null);
  const ratio =
    told.length === 0 ? 1 : sum(told.map((one) => one.answer.promptTokens ?? 0)) / sum(told.map((one) => one.guess));
  const completions = measured.flatMap(({ answer }) => answer.completionTokens ?? []);
  const most = Number(endpoint.parameters.max_tokens ?? endpoint.parameters.max_completion_tokens);
  const completion = completions.length === 0 ? most : sum(completions) / completions.length;
  const milliseconds = sum(measured.map(({ answer }) => answer.milliseconds)) / measured.length;
  const rounds = open.length / Math.min(endpoint.concurrency, Math.max(1, open.length));
  return {
    requests: open.length,
    promptTokens: Math.round(guess * ratio),
    completionTokens: Math.round(open.length * completion),
    milliseconds: measured.length === 0 ? null : Math.round(milliseconds * rounds),
    measured: measured.length,
  };
}

/** Four letters of most scripts, or one character of those without blanks between words. */
function guessedTokens({ messages }: PlannedQuestion): number {
  return sum(
    messages.map(({ content }) => {
      const dense =
        content.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/gu)?.length ?? 0;
      return dense + Math.ceil((content.length - dense) / 4);
    }),
  );
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
