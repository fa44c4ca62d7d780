import type { ListedAnswer } from '@anneal/core/protocol/answers';

/** A prompt of a step with all answers to it. */
export interface AnsweredPrompt {
  /** Its number among the prompts of the step. */
  document: number;
  file: string;
  row: number;
  /** As the model reads it, and that without what all prompts of the step begin with. */
  prompt: string;
  excerpt: string;
  /** Mean over its answers. */
  reward: number;
  /** The best first. */
  answers: readonly ListedAnswer[];
}

/** @param answers of a step, in the order of its prompts */
export function answeredPrompts(answers: readonly ListedAnswer[]): AnsweredPrompt[] {
  const groups = [...Map.groupBy(answers, ({ file, row, prompt }) => `${file}:${row} ${prompt}`).values()];
  const beginning = sharedLines(groups.map(([first]) => (first as ListedAnswer).prompt));
  return groups.map((group, document) => {
    const { file, row, prompt } = group[0] as ListedAnswer;
    return {
      document,
      file,
      row,
      prompt,
      excerpt: prompt.slice(beginning),
      reward: meanReward(group),
      answers: group.toSorted((a, b) => b.reward - a.reward || a.answer - b.answer),
    };
  });
}

export const meanReward = (answers: readonly ListedAnswer[]): number =>
  answers.reduce((sum, { reward }) => sum + reward, 0) / answers.length;

/** Characters of the whole lines that all texts begin with: what a template or a system prompt puts before each. */
function sharedLines(texts: readonly string[]): number {
  const [first = '', ...others] = texts;
  if (others.length === 0) return 0;
  let shared = 0;
  while (shared < first.length && others.every((text) => text[shared] === first[shared])) shared++;
  return first.lastIndexOf('\n', shared - 1) + 1;
}
